// slab/under_way.h - how much of the memory is with values that nobody can find yet, and that
// cannot be evicted therefore.
//
//   arriving  its client sends it. Counted when it takes longer than a turn, or refused.
//   awaited   the same, with patience: it was not begun before there was room for it.
//   result    made of values that have arrived, by several steps (large_concatenation.h). It waits
//             for no client, so it must not wait for what clients do: one is let through beside
//             whatever is arriving, unless there is far too much.
//
// So of those who wait for each other here there is always one who goes on: whoever is arriving
// does not wait, whoever is awaited waits for these two, and a result for other results, which
// come to their end by themselves.
//
// Units    bytes.
// Threads  any.
// Not here who is counted, and what becomes of who is not: cache.h, KeepUnderWay; room_queue.h;
//          large_concatenation.h
#pragma once

#include <atomic>
#include <cstdint>

namespace larder::slab {

class UnderWay {
 public:
  enum class Kind : uint8_t { kArriving, kAwaited, kResult };

  // How much all values may take together, for one of `bytes`: half of the limit, so that clients
  // that never finish what they began leave the rest to everybody else; or three quarters for a
  // small one.
  [[nodiscard]] static uint64_t BytesMax(uint64_t limit_bytes, uint64_t bytes) {
    constexpr uint64_t kSmallBytesMax = 64 * 1024;
    return bytes <= kSmallBytesMax ? limit_bytes / 4 * 3 : limit_bytes / 2;
  }

  // False: there are too many already, and nothing was added.
  [[nodiscard]] bool TryAdd(uint64_t limit_bytes, uint64_t bytes, Kind kind) {
    // Relaxed, here and below: a sum; what it counts is handed over elsewhere.
    const uint64_t sum = SumOf(kind).fetch_add(bytes, std::memory_order_relaxed) + bytes;
    if (Fits(limit_bytes, bytes, kind, sum)) return true;
    Remove(bytes, kind);
    return false;
  }
  void Remove(uint64_t bytes, Kind kind) {
    SumOf(kind).fetch_sub(bytes, std::memory_order_relaxed);
  }
  // Whether a result of that size would be let through now, if there were no other.
  [[nodiscard]] bool HasPlaceForResult(uint64_t limit_bytes, uint64_t bytes) const {
    return value_bytes_.load(std::memory_order_relaxed) + bytes <= limit_bytes / 4 * 3;
  }

 private:
  [[nodiscard]] std::atomic<uint64_t>& SumOf(Kind kind) {
    return kind == Kind::kResult ? result_bytes_ : value_bytes_;
  }
  // `sum`: of its kind, with it.
  [[nodiscard]] bool Fits(uint64_t limit_bytes, uint64_t bytes, Kind kind, uint64_t sum) const {
    if (kind == Kind::kArriving) return sum <= BytesMax(limit_bytes, bytes);
    const auto& others = kind == Kind::kResult ? value_bytes_ : result_bytes_;
    if (sum + others.load(std::memory_order_relaxed) <= BytesMax(limit_bytes, bytes)) return true;
    return kind == Kind::kResult && sum == bytes && HasPlaceForResult(limit_bytes, bytes);
  }

  std::atomic<uint64_t> value_bytes_{0};
  std::atomic<uint64_t> result_bytes_{0};
};

}  // namespace larder::slab
