// slab/expiry_hints.h - for each 8 KiB of the arena, the earliest second at which an item that lies
// there expires: the sweeper (sweeper.h) looks at nothing else until that second has come.
//
// Cost     128 bytes for a page of 256 KiB, charged by the class that has the page. A store or touch
//          with an expiry reads its region's word, and writes it only where it names a later second
//          or none: with equal lifetimes once after each visit of the sweeper. An item without
//          expiry does not come here at all.
// Truth    A word is never later than the earliest expiry of its region's items, but may be
// earlier:
//          then a visit is in vain and puts it right. What makes that hold while others store is
//          told in sweeper.h.
// Units    seconds on Clock's scale, 0 for none; regions are numbered through the arena.
// Threads  any.
#pragma once

#include <atomic>
#include <cstdint>

#include "slab/mapping.h"
#include "slab/page_arena.h"

namespace larder::slab {

using RegionId = uint32_t;

class ExpiryHints {
 public:
  // Fewer bytes would be more words to go through, more bytes more items to look at for each that
  // expires: at 10 GiB of 100-byte items that live for an hour, one visit in three seconds finds
  // one of 54 expired.
  static constexpr uint32_t kRegionBytes = 8 * 1024;
  static constexpr uint32_t kRegionsPerPage = kPageBytes / kRegionBytes;
  static constexpr uint64_t kBytesPerPage = kRegionsPerPage * sizeof(uint32_t);

  // Check IsReady() afterwards: false when the system refuses the address space.
  explicit ExpiryHints(const PageArena& arena)
      : arena_begin_(arena.PageBegin(0)),
        memory_(Mapping::Reserve(arena.PageCount() * kBytesPerPage, sizeof(uint64_t))),
        words_(reinterpret_cast<std::atomic<uint32_t>*>(memory_.Begin())) {}

  [[nodiscard]] bool IsReady() const { return words_ != nullptr; }
  [[nodiscard]] RegionId RegionOf(const void* place) const {
    return static_cast<RegionId>((static_cast<const char*>(place) - arena_begin_) / kRegionBytes);
  }

  // REQUIRES: expires_s != 0. To be called after the item's expiry can be seen, in the same turn.
  void Note(RegionId region, uint32_t expires_s) const {
    std::atomic<uint32_t>& word = words_[region];
    // Relaxed: the word guards nothing; the sweeper's grace period orders it with the items.
    uint32_t known_s = word.load(std::memory_order_relaxed);
    while (known_s == 0 || expires_s < known_s) {
      if (word.compare_exchange_weak(known_s, expires_s, std::memory_order_relaxed)) return;
    }
  }
  [[nodiscard]] uint32_t At(RegionId region) const {
    return words_[region].load(std::memory_order_relaxed);
  }
  // Returns what it was.
  uint32_t Clear(RegionId region) const {
    return words_[region].exchange(0, std::memory_order_relaxed);
  }

 private:
  const char* const arena_begin_;
  Mapping memory_;  // zeros: nothing expires
  std::atomic<uint32_t>* const words_;
};

}  // namespace larder::slab
