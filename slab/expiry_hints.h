// slab/expiry_hints.h - for each 2 KiB of the arena, the earliest second at which an item that lies
// there expires: the sweeper (sweeper.h) looks at nothing else until that second has come.
//
// Cost     256 bytes for a page of 256 KiB, charged by the class that has it. A store or touch with
//          an expiry reads its region's hint, and writes it only where it names a later second or
//          none: with equal lifetimes once after each visit of the sweeper. An item without expiry
//          does not come here at all.
// Hints    the low 16 bits of a second on Clock's scale, 0 for none; whichever of two is nearer
//          than 9 hours before the other is the earlier one. Who expires in more than kAheadS is
//          noted as if it did then: a visit in vain every few hours. Four regions share a word, and
//          are looked at with one glance: where nothing is due that is all there is to do.
// Truth    A hint is never later than the earliest expiry of its region's items, but may be
//          earlier: then a visit is in vain and puts it right. What makes that hold while others
//          store is told in sweeper.h. Where nobody sweeps for hours a hint may come to look like
//          a second ahead: what it stands for is freed hours late, and is no more served than ever.
// Units    seconds on Clock's scale; regions are numbered through the arena.
// Threads  any.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>

#include "slab/mapping.h"
#include "slab/page_arena.h"

namespace larder::slab {

using RegionId = uint32_t;

class ExpiryHints {
 public:
  // Fewer bytes would be more words to go through, more bytes more items to look at for each that
  // expires: at 10 GiB of 100-byte items that live for an hour nearly every visit finds one, among
  // 13 here, and among 54 in 8 KiB.
  static constexpr uint32_t kRegionBytes = 2 * 1024;
  static constexpr uint32_t kRegionsPerPage = kPageBytes / kRegionBytes;
  static constexpr uint64_t kBytesPerPage = kRegionsPerPage * sizeof(uint16_t);
  static constexpr uint32_t kAheadS = 4 * 60 * 60;
  static constexpr uint32_t kRegionsPerWord = 4;

  // Check IsReady() afterwards: false when the system refuses the address space.
  explicit ExpiryHints(const PageArena& arena)
      : arena_begin_(arena.PageBegin(0)),
        memory_(Mapping::Reserve(arena.PageCount() * kBytesPerPage, sizeof(uint64_t))),
        words_(reinterpret_cast<std::atomic<uint64_t>*>(memory_.Begin())) {}

  [[nodiscard]] bool IsReady() const { return words_ != nullptr; }
  [[nodiscard]] RegionId RegionOf(const void* place) const {
    return static_cast<RegionId>((static_cast<const char*>(place) - arena_begin_) / kRegionBytes);
  }

  // REQUIRES: expires_s != 0. To be called after the item's expiry can be seen, in the same turn.
  void Note(RegionId region, uint32_t expires_s, uint32_t now_s) const {
    const uint16_t hint = HintOf(std::min(expires_s, now_s + kAheadS));
    const uint32_t shift = region % kRegionsPerWord * kHintBits;
    std::atomic<uint64_t>& word = words_[region / kRegionsPerWord];
    // Relaxed: a hint guards nothing; the sweeper's grace period orders it with the items.
    uint64_t known = word.load(std::memory_order_relaxed);
    uint64_t noted = 0;
    do {
      const auto earliest = static_cast<uint16_t>(known >> shift);
      if (earliest != kNone && static_cast<int16_t>(hint - earliest) >= 0) return;
      noted = (known & ~(kHintMask << shift)) | uint64_t{hint} << shift;
    } while (!word.compare_exchange_weak(known, noted, std::memory_order_relaxed));
  }
  // Calls take(region) for those of the kRegionsPerWord regions from `first` on of which the
  // earliest expiry is not after `second`, and forgets it. REQUIRES: `first` is the first in a
  // word.
  template <typename Take>
  void TakeDue(RegionId first, uint32_t second, const Take& take) const {
    std::atomic<uint64_t>& word = words_[first / kRegionsPerWord];
    uint64_t due = DueAmong(word.load(std::memory_order_relaxed), HintOf(second));
    for (; due != 0; due &= due - 1) {
      const uint32_t place = static_cast<uint32_t>(std::countr_zero(due)) / kHintBits;
      word.fetch_and(~(kHintMask << place * kHintBits), std::memory_order_relaxed);
      take(first + place);
    }
  }
  void Clear(RegionId region) const {
    words_[region / kRegionsPerWord].fetch_and(~(kHintMask << region % kRegionsPerWord * kHintBits),
                                               std::memory_order_relaxed);
  }

 private:
  friend class LineNames;  // tests/slab/shared_writes
  static constexpr uint16_t kNone = 0;
  static constexpr uint32_t kHintBits = 16;
  static constexpr uint64_t kHintMask = 0xFFFF;

  // The second whose bits would be kNone is told as the one before it.
  [[nodiscard]] static uint16_t HintOf(uint32_t second) {
    const auto hint = static_cast<uint16_t>(second);
    return hint != kNone ? hint : uint16_t{0xFFFF};
  }
  // The top bit of each of the word's hints that is not kNone and not after `now`.
  [[nodiscard]] static uint64_t DueAmong(uint64_t hints, uint16_t now) {
    constexpr uint64_t kOnes = 0x0001000100010001;
    constexpr uint64_t kTops = kOnes << (kHintBits - 1);
    const uint64_t next = kOnes * static_cast<uint16_t>(now + 1);
    // Four subtractions; the top bits are kept out, so that none borrows from its neighbour.
    const uint64_t ahead = ((hints | kTops) - (next & ~kTops)) ^ ((hints ^ ~next) & kTops);
    const uint64_t is_some = ((hints & ~kTops) + ~kTops) | hints;
    return ahead & is_some & kTops;
  }

  const char* const arena_begin_;
  Mapping memory_;  // zeros: nothing expires
  std::atomic<uint64_t>* const words_;
};

}  // namespace larder::slab
