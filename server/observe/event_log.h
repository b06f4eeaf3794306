// server/observe/event_log.h - where those who have something to tell meet those who watch: events
// go in from any thread, lines come out of a Watcher.
//
// This is the seam that other folders see, free of threads and of the system. The plain EventLog is
// one that nobody can watch; event_hub.h is the real one.
//
// Cost     with nobody watching, one load of a word that is hardly ever written: ask Wants() before
//          composing an event.
// Owner    outlives whoever tells it; views in an event are lent for the call.
// Threads  all of EventLog from any thread. Tell never waits: what does not fit is dropped, and
//          counted.
// Not here what the lines look like: event_line.h
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "server/observe/byte_ring.h"

namespace larder::server {

namespace watch_stream {
enum Number : uint32_t {
#define STREAM(name, word) name##Number,
#include "server/observe/streams.def"
#undef STREAM
};
enum Bit : uint32_t {
#define STREAM(name, word) name = 1U << name##Number,
#include "server/observe/streams.def"
#undef STREAM
};
}  // namespace watch_stream

// The stream's bit, or 0 for a word that is none.
[[nodiscard]] constexpr uint32_t FindStream(std::string_view word) {
#define STREAM(name, text) \
  if (std::string_view(text).starts_with(word)) return watch_stream::name;
#include "server/observe/streams.def"
#undef STREAM
  return 0;
}

// --- events --------------------------------------------------------------------------------------

enum class StoreCommand : uint8_t { kNull, kAdd, kSet, kReplace, kAppend, kPrepend, kCas };
enum class StoreResultKind : uint8_t {
  kNotStored,
  kStored,
  kExists,
  kNotFound,
  kTooLarge,
  kNoMemory
};
struct StoreTold {
  std::string_view key;
  StoreResultKind status = StoreResultKind::kNotStored;
  StoreCommand command = StoreCommand::kNull;
  int64_t ttl_s = 0;  // 0: never expires
  uint32_t class_id = 0;
  uint32_t value_bytes = 0;
  int32_t origin = -1;  // the client's descriptor
};

enum class DeleteCommand : uint8_t { kNull, kDelete, kMetaDelete };
struct DeletionTold {
  std::string_view key;
  DeleteCommand command = DeleteCommand::kNull;
  uint32_t class_id = 0;
  uint32_t value_bytes = 0;
};

// --- watchers ------------------------------------------------------------------------------------

// What one client watches: the lines that wait for it.
// Threads  the event log's thread writes, the thread of the client's connection reads and closes.
class Watcher {
 public:
  using Wake = std::function<void()>;

  Watcher(uint32_t streams, uint64_t first_event_id, size_t buffer_bytes, Wake wake)
      : streams_(streams),
        first_event_id_(first_event_id),
        lines_(buffer_bytes),
        wake_(std::move(wake)) {}

  [[nodiscard]] ByteRing& Lines() { return lines_; }
  [[nodiscard]] uint32_t Streams() const { return streams_; }
  [[nodiscard]] uint64_t FirstEventId() const { return first_event_id_; }
  void WakeReader() const { wake_(); }

  // The client is gone. Relaxed: a line more or less written for nobody does no harm.
  void Close() { is_closed_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool IsClosed() const { return is_closed_.load(std::memory_order_relaxed); }

 private:
  const uint32_t streams_;
  const uint64_t first_event_id_;
  ByteRing lines_;
  const Wake wake_;
  std::atomic<bool> is_closed_{false};
};

// Names are memcached's keys in `stats`.
struct EventLogStats {
  uint64_t log_worker_dropped = 0;
  uint64_t log_worker_written = 0;
  uint64_t log_watcher_skipped = 0;
  uint64_t log_watcher_sent = 0;
  uint64_t log_watchers = 0;
};

class EventLog {
 public:
  static constexpr size_t kWatchersMax = 20;

  EventLog() = default;
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;
  virtual ~EventLog() = default;

  // Relaxed: who begins to watch may miss what happens in that moment.
  [[nodiscard]] bool Wants(uint32_t streams) const {
    return (wanted_.load(std::memory_order_relaxed) & streams) != 0;
  }
  virtual void Tell(const StoreTold&) {}
  virtual void Tell(const DeletionTold&) {}

  // `wake` is called, from the log's thread, when there are lines to read. Null: kWatchersMax watch
  // already.
  [[nodiscard]] virtual std::shared_ptr<Watcher> Watch(uint32_t /*streams*/,
                                                       const Watcher::Wake& /*wake*/) {
    return nullptr;
  }

  [[nodiscard]] virtual EventLogStats Stats() const { return {}; }
  virtual void ResetStats() {}

 protected:
  void Want(uint32_t streams) { wanted_.store(streams, std::memory_order_relaxed); }

 private:
  std::atomic<uint32_t> wanted_{0};
};

}  // namespace larder::server
