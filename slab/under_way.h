// slab/under_way.h - how much of the memory is with values that clients have begun to send.
//
// Units    bytes.
// Threads  any.
// Not here who is counted, and what becomes of who is not: cache.h, KeepUnderWay; room_queue.h.
#pragma once

#include <atomic>
#include <cstdint>

namespace larder::slab {

class UnderWay {
 public:
  // How much all of them may take together, for one of `bytes`: half of the limit, so that clients
  // that never finish what they began leave the rest to everybody else; or three quarters for a
  // small one.
  [[nodiscard]] static uint64_t BytesMax(uint64_t limit_bytes, uint64_t bytes) {
    constexpr uint64_t kSmallBytesMax = 64 * 1024;
    return bytes <= kSmallBytesMax ? limit_bytes / 4 * 3 : limit_bytes / 2;
  }

  // False: there are too many already, and nothing was added.
  [[nodiscard]] bool TryAdd(uint64_t limit_bytes, uint64_t bytes) {
    // Relaxed, here and below: a sum; what it counts is handed over elsewhere.
    const uint64_t before = bytes_.fetch_add(bytes, std::memory_order_relaxed);
    if (before + bytes <= BytesMax(limit_bytes, bytes)) return true;
    Remove(bytes);
    return false;
  }
  void Remove(uint64_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> bytes_{0};
};

}  // namespace larder::slab
