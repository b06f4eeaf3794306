// server/observe/event_hub.h - the event log that can be watched: takes events from all threads and
// writes lines for up to kWatchersMax clients, and never lets the former wait for the latter.
//
//     threads that tell           the log's thread            connections that watch
//     lane  [record record ..] --+
//     lane  [record ..]        --+-> Step: lines, by stream -> watcher [line line ..] -> Feed
//     lane  [..]               --+                          -> watcher [line ..]      -> Feed
//
// Invariants
//   1. A lane is a ByteRing. Its one writer at a time is whoever has set its flag. The flag is set
//      and cleared with acquire and release, which hands the writer's role from thread to thread.
//   2. Nobody waits for a flag: a thread that finds its lane taken tries the others, once each, and
//      then drops its event. There are more lanes than threads, so that is as rare as two threads
//      whose numbers collide; a full lane is the usual reason to drop.
//   3. Whoever calls Step is the one reader of all lanes and the one writer to all watchers.
//   4. An event is in a lane whole or not at all: record and key are written together.
//   5. mutex_ guards the list of watchers only. Step holds it to copy the list; Watch, called by
//      workers, never waits for a step.
// Events of one lane come out in their order; those of several lanes, which a thread may use one
// after the other, do not. That is what their ids are for.
//
// Owner    outlives the cache and the front end, which tell it things.
// Threads  EventLog, EventSink, ConnectionObserver: any. Start and Stop: the owner's. Step: that of
//          the log, or a test's when it has not been started.
// Errors   Start throws std::system_error when there are no more threads to be had.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/net/connection_observer.h"
#include "server/observe/byte_ring.h"
#include "server/observe/event_line.h"
#include "server/observe/event_log.h"
#include "server/os/background_thread.h"
#include "slab/event_sink.h"

namespace larder::server {

struct EventHubConfig {
  size_t lane_bytes = 64 * 1024;      // -o worker_logbuf_size
  size_t watcher_bytes = 256 * 1024;  // -o watcher_logbuf_size
  uint32_t thread_count = 4;          // that tell most of what there is to tell
};

class EventHub final : public EventLog, public slab::EventSink, public ConnectionObserver {
 public:
  explicit EventHub(const EventHubConfig& config);
  ~EventHub() override { Stop(); }

  void Start();
  void Stop() { thread_.Stop(); }

  // Carries what is in the lanes to the watchers, a bounded amount. Returns when to call again.
  BackgroundThread::Wait Step();

  // --- EventLog ------------------------------------------------------------------------------
  void Tell(const StoreTold& event) override;
  void Tell(const DeletionTold& event) override;
  [[nodiscard]] std::shared_ptr<Watcher> Watch(uint32_t streams,
                                               const Watcher::Wake& wake) override;
  [[nodiscard]] EventLogStats Stats() const override;
  void ResetStats() override;

  // --- slab::EventSink -----------------------------------------------------------------------
  void OnFetch(const slab::FetchEvent& event) override;
  void OnEviction(const slab::EvictionEvent& event) override;
  void OnPageMove(const slab::PageMoveEvent& event) override;

  // --- ConnectionObserver --------------------------------------------------------------------
  void OnOpen(const RemoteEnd& remote) override;
  void OnClose(const RemoteEnd& remote, CloseReason reason) override;

 private:
  struct Lane {
    explicit Lane(size_t bytes) : records(bytes) {}
    alignas(64) std::atomic_flag is_taken;
    ByteRing records;
  };
  // The log's thread's own view of a watcher.
  struct Seat {
    std::shared_ptr<Watcher> watcher;
    uint64_t skipped_lines = 0;  // since the last one that was written
    bool has_news = false;
  };

  void PutConnection(EventRecord& record, const RemoteEnd& remote);
  void Put(EventRecord& record, std::string_view key);
  [[nodiscard]] Lane* TakeLane();
  void CopySeats();
  bool CarryFrom(ByteRing& records);
  void Deliver(const EventRecord& record);
  void WriteTo(Seat& seat);
  void WantWhatIsWatchedLocked();

  const EventHubConfig config_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::atomic<uint64_t> last_event_id_{0};

  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Watcher>> watchers_;  // guarded by mutex_

  // The caller of Step's.
  std::vector<Seat> seats_;
  std::string line_;
  std::chrono::microseconds pause_{0};

  // Counts; nothing hangs on their order. Written by many threads, while somebody watches.
  std::atomic<uint64_t> dropped_{0};
  std::atomic<uint64_t> written_{0};
  std::atomic<uint64_t> skipped_{0};
  std::atomic<uint64_t> sent_{0};

  BackgroundThread thread_;
};

}  // namespace larder::server
