// slab/event_sink.h - whom the engine tells what happens to items, for those who want to watch.
//
// Cost     with nobody watching, one load of a shared word that is hardly ever written. Callers
//          ask Wants() before they compose an event.
// Owner    the sink outlives the cache; views in an event are lent for the call.
// Threads  any, several at a time. The callee must not wait and must not call the cache: what
//          a moving page evicts is told while the move is under way, for which a store may wait.
// Not here who watches and what is written: server/observe
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace larder::slab {

enum class FetchResult : uint8_t { kNotFound, kFound, kFlushed, kExpired };

struct FetchEvent {
  std::string_view key;
  FetchResult result = FetchResult::kNotFound;
  uint32_t class_id = 0;  // 0 after a miss
  uint32_t value_bytes = 0;
  int32_t origin = -1;  // Cache::SetOrigin
};

struct EvictionEvent {
  std::string_view key;
  bool was_fetched = false;
  int64_t ttl_s = 0;    // -1: would never have expired
  uint32_t idle_s = 0;  // since the last access
  uint32_t class_id = 0;
  uint32_t value_bytes = 0;
};

struct PageMoveEvent {
  uint32_t donor = 0;
  uint32_t receiver = 0;
};

class EventSink {
 public:
  enum Kind : uint32_t { kFetches = 1U << 0, kEvictions = 1U << 1, kPageMoves = 1U << 2 };

  EventSink() = default;
  EventSink(const EventSink&) = delete;
  EventSink& operator=(const EventSink&) = delete;

  // Relaxed: who begins to watch may miss what happens in that moment.
  [[nodiscard]] bool Wants(Kind kind) const {
    return (wanted_.load(std::memory_order_relaxed) & kind) != 0;
  }
  void Want(uint32_t kinds) { wanted_.store(kinds, std::memory_order_relaxed); }

  virtual void OnFetch(const FetchEvent& event) = 0;
  virtual void OnEviction(const EvictionEvent& event) = 0;
  virtual void OnPageMove(const PageMoveEvent& event) = 0;

 protected:
  ~EventSink() = default;

 private:
  std::atomic<uint32_t> wanted_{0};
};

}  // namespace larder::slab
