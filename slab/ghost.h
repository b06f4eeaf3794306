// slab/ghost.h - remembers who left unread: fingerprints of keys that were evicted from probation.
// A key that comes back while it is remembered was asked for again within about half a turnover of
// the cache, and is protected from the start.
//
// Layout     Lines of 64 bytes: 31 fingerprints of 16 bits and a cursor; a new one replaces the
//            line's oldest. A look touches one cache line; a key is taken for another 31 times in
//            65,535, which costs a place among the protected and no more.
// Size       A line for 31 to 62 items: 1 to 2 bytes an item. Doubled by the maintainer as items
//            become more, charged to the budget. Half of what was remembered is then looked for
//            elsewhere and forgotten; it ages as everything does.
// Horizon    As many are remembered as half the items there are. Of each line only the latest are
//            looked at where items have become fewer and larger: who was away for several turnovers
//            of the cache is not worth protection. (With 28,000 values of 2 KB after 400,000 of
//            100 B a table that remembers ten times the items missed 18 % more.)
// Measured   Simulated: a quarter misses 0.7 % less than half where the cache holds a third of all
//            keys, and 9 % more where popularity drifts; three quarters miss 0.9 % more and 4 %
//            less.
//
// Units      fingerprints, lines; bytes where the name says so.
// Threads    *Locked: under the stripe of the key's hash (hash_index.h). A line belongs to one
//            stripe whatever the number of lines, as a bucket of the index does. Grow: one thread.
// Errors     Grow returns false when the budget refuses.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "slab/mapping.h"
#include "slab/memory_budget.h"

namespace larder::slab {

class Ghost {
 public:
  // Check IsReady() afterwards. `bytes_max`: address space, and the most it will ever be.
  Ghost(MemoryBudget& budget, uint64_t bytes_max);

  [[nodiscard]] bool IsReady() const { return lines_ != nullptr; }

  void PrefetchForChange(uint64_t hash) const { __builtin_prefetch(&LineOf(hash), 1); }
  void RememberLocked(uint64_t hash);
  // Whether the key is remembered; it no longer is.
  [[nodiscard]] bool TakeLocked(uint64_t hash);

  // Sets the horizon for this many items. One thread.
  void SetItemCount(uint64_t item_count);
  // Whether there are so many items that twice the lines are due.
  [[nodiscard]] bool IsSmall() const;
  // Doubles the lines. False: no memory, or no more address space.
  [[nodiscard]] bool Grow();

  [[nodiscard]] uint64_t Bytes() const { return LineCount() * sizeof(Line); }

 private:
  friend class LineNames;  // tests/slab/shared_writes
  static constexpr uint32_t kSlotCount = 31;
  struct alignas(64) Line {
    std::array<uint16_t, kSlotCount> fingerprints;  // 0: empty
    uint16_t cursor;                                // the oldest's place
  };
  static_assert(sizeof(Line) == 64, "one cache line");

  [[nodiscard]] static uint16_t FingerprintOf(uint64_t hash) {
    const auto bits = static_cast<uint16_t>(hash >> 48);
    return bits != 0 ? bits : 1;
  }
  [[nodiscard]] Line& LineOf(uint64_t hash) const { return lines_[hash & (LineCount() - 1)]; }
  [[nodiscard]] uint64_t LineCount() const {
    // Acquire: pairs with Grow's release. Two that see different counts look at different lines of
    // the same stripe; at worst a fingerprint is not found.
    return line_count_.load(std::memory_order_acquire);
  }

  MemoryBudget& budget_;
  Mapping memory_;
  Line* lines_ = nullptr;
  std::atomic<uint64_t> line_count_{0};        // a power of two, a multiple of the stripes
  std::atomic<uint32_t> horizon_{kSlotCount};  // of each line's slots, how many are looked at
  uint64_t item_count_ = 0;                    // as the maintainer last said
};

}  // namespace larder::slab
