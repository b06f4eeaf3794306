// slab/bucket_ops.h - reading and writing the slots of one bucket of the index.
//
// Tags are compared eight at a time in an ordinary register: no vector instructions to choose
// between, and every access is an atomic one that ThreadSanitizer can follow.
//
// Threads  Match*: any. Writers: under the bucket's stripe; their stores are ordered for readers
//          that hold no lock (hash_index.h, invariants 1 and 3).
// Not here which bucket: hash_index.h
#pragma once

#include <bit>
#include <cstdint>

#include "slab/hash_index.h"
#include "slab/race_window.h"

namespace larder::slab {

inline constexpr uint8_t kEmptyTag = 0;

// The positions of a bucket's slots for which something holds.
class SlotMask {
 public:
  // Bit 7 of each byte of `low` for slots 0..7, of the low four bytes of `high` for 8..11.
  SlotMask(uint64_t low, uint64_t high) : low_(low), high_(high) {}

  [[nodiscard]] bool Empty() const { return (low_ | high_) == 0; }
  [[nodiscard]] uint32_t Position() const {
    return low_ != 0 ? static_cast<uint32_t>(std::countr_zero(low_)) / 8
                     : 8 + static_cast<uint32_t>(std::countr_zero(high_)) / 8;
  }
  void Next() {
    if (low_ != 0) {
      low_ &= low_ - 1;
    } else {
      high_ &= high_ - 1;
    }
  }

 private:
  uint64_t low_;
  uint64_t high_;
};

namespace internal {

inline constexpr uint64_t kEveryByte = 0x0101010101010101;
inline constexpr uint64_t kHighBits = 0x8080808080808080;
inline constexpr uint64_t kHighBitsOfFour = 0x80808080;

// Bit 7 of each byte of `word` that is zero, and of no other.
inline uint64_t ZeroBytes(uint64_t word) {
  const uint64_t low_bits = ~kHighBits;
  return ~(((word & low_bits) + low_bits) | word) & kHighBits;
}

}  // namespace internal

inline SlotMask MatchTag(const Bucket& bucket, uint8_t tag) {
  const uint64_t pattern = internal::kEveryByte * tag;
  // Acquire: a reader that sees a slot's tag changed also sees what was moved up before.
  const uint64_t high = bucket.tags_high_and_link.load(std::memory_order_acquire);
  const uint64_t low = bucket.tags_low.load(std::memory_order_acquire);
  return {internal::ZeroBytes(low ^ pattern),
          internal::ZeroBytes(high ^ pattern) & internal::kHighBitsOfFour};
}

inline SlotMask MatchUsed(const Bucket& bucket) {
  const uint64_t high = bucket.tags_high_and_link.load(std::memory_order_acquire);
  const uint64_t low = bucket.tags_low.load(std::memory_order_acquire);
  return {~internal::ZeroBytes(low) & internal::kHighBits,
          ~internal::ZeroBytes(high) & internal::kHighBitsOfFour};
}

inline uint8_t TagAt(const Bucket& bucket, uint32_t position) {
  const uint64_t word = position < 8 ? bucket.tags_low.load(std::memory_order_relaxed)
                                     : bucket.tags_high_and_link.load(std::memory_order_relaxed);
  return static_cast<uint8_t>(word >> (position % 8 * 8));
}

// One writer at a time, so load and store make a change; release: see MatchTag.
inline void SetTag(Bucket& bucket, uint32_t position, uint8_t tag) {
  std::atomic<uint64_t>& word = position < 8 ? bucket.tags_low : bucket.tags_high_and_link;
  const uint32_t shift = position % 8 * 8;
  const uint64_t others = word.load(std::memory_order_relaxed) & ~(uint64_t{0xFF} << shift);
  word.store(others | uint64_t{tag} << shift, std::memory_order_release);
}

// Invariant 1: first the tag, then the handle.
inline void WriteSlot(Bucket& bucket, uint32_t position, uint8_t tag, Handle handle) {
  SetTag(bucket, position, tag);
  RaceWindow(Window::kTagWrittenHandleNot);
  // Release: a reader that takes the handle sees the item whole.
  bucket.handles[position].store(handle, std::memory_order_release);
}

// Invariant 1: first the handle, then the tag.
inline void ClearSlot(Bucket& bucket, uint32_t position) {
  // Release: a reader that finds the slot cleared sees where its entry was moved to before.
  bucket.handles[position].store(kNoHandle, std::memory_order_release);
  SetTag(bucket, position, kEmptyTag);
}

inline void SetLink(Bucket& bucket, uint32_t number) {
  const uint64_t tags = bucket.tags_high_and_link.load(std::memory_order_relaxed) & 0xFFFFFFFF;
  // Release: a reader that sees the link sees the bucket behind it ready, and one that sees it
  // gone sees what was moved up before.
  bucket.tags_high_and_link.store(tags | uint64_t{number} << 32, std::memory_order_release);
}

}  // namespace larder::slab
