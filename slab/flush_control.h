// slab/flush_control.h - flush_all: how all items die at once without being visited.
//
// Every item carries the number of flushes before it was stored; one with an older number is
// gone. A flush is one increment. A delayed flush names a second: while the clock shows it,
// nothing is served (memcached lets everything stored up to and including that second die), and
// at the tick that ends it the number goes up.
//
// Units    seconds on Clock's scale; generations modulo 2^16.
// Threads  IsFlushed and Generation from any thread. FlushNow, FlushAt and Cancel serialise
//          among themselves with the flush mutex (rank kFlush), held by the caller.
// Not here freeing what is flushed: eviction meets it first, reads remove what they run into.
//          The number wraps after 65,536 flushes; the cache purges long before (cache_upkeep.cc).
#pragma once

#include <atomic>
#include <cstdint>

#include "slab/locks.h"

namespace larder::slab {

class FlushControl {
 public:
  Mutex mutex{LockRank::kFlush};

  [[nodiscard]] uint16_t Generation() const {
    // Relaxed: a store that races with a flush may fall on either side of it.
    return generation_.load(std::memory_order_relaxed);
  }
  // As of a generation read before, so that one critical section judges and stamps alike.
  [[nodiscard]] bool IsFlushedAt(uint16_t generation, uint16_t item_generation,
                                 uint32_t now_s) const {
    return item_generation != generation || IsActing(now_s);
  }
  // A delayed flush is in its second: nothing is served.
  [[nodiscard]] bool IsActing(uint32_t now_s) const {
    // Acquire: who sees it over, sees the generation that took its place.
    const uint32_t pending_s = pending_s_.load(std::memory_order_acquire);
    return pending_s != 0 && now_s >= pending_s;
  }
  [[nodiscard]] bool IsFlushed(uint16_t item_generation, uint32_t now_s) const {
    if (IsActing(now_s)) return true;
    // Acquire: pairs with FlushNow's release, so whoever learned that the flush is done, through
    // this or any other way, does not see the number from before.
    return item_generation != generation_.load(std::memory_order_acquire);
  }

  // Also forgets a pending flush. Returns the new generation.
  uint16_t FlushNow(uint32_t now_s) REQUIRES_LOCK(mutex) {
    last_s_.store(now_s - 1, std::memory_order_relaxed);
    // Release: pairs with IsFlushed's acquire.
    const uint16_t before = generation_.fetch_add(1, std::memory_order_release);
    // After the number went up, so that at no moment a dead item is served again.
    pending_s_.store(0, std::memory_order_release);
    return static_cast<uint16_t>(before + 1);
  }
  void FlushAt(uint32_t at_s) REQUIRES_LOCK(mutex) {
    pending_s_.store(at_s, std::memory_order_relaxed);
    last_s_.store(at_s, std::memory_order_relaxed);
  }
  void Cancel() REQUIRES_LOCK(mutex) { pending_s_.store(0, std::memory_order_relaxed); }

  // Whether the second of the pending flush is over at `now_s`, so that FlushNow is due.
  [[nodiscard]] bool IsDue(uint32_t now_s) const {
    const uint32_t pending_s = pending_s_.load(std::memory_order_relaxed);
    return pending_s != 0 && now_s > pending_s;
  }
  // memcached's `oldest`: when the last flush took or takes effect, 0 none.
  [[nodiscard]] uint32_t LastSecond() const { return last_s_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint16_t> generation_{0};
  std::atomic<uint32_t> pending_s_{0};
  std::atomic<uint32_t> last_s_{0};
};

}  // namespace larder::slab
