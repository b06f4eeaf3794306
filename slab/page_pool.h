// slab/page_pool.h - lends fixed-size pages to slab classes and takes them back.
//
// Units    pages of kPageBytes; PageId is 0-based.
// Owner    PageArena owns the memory; PagePool owns only the list of pages that nobody has.
// Threads  safe from any thread; takes mutex_ (rank kPool).
// Errors   Take() returns nullopt when the budget or the arena is used up. Nothing here throws.
// Not here which class gives up a page: rebalance_policy.h. How it is emptied: page_release.h.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "slab/locks.h"
#include "slab/memory_budget.h"
#include "slab/page_arena.h"

namespace larder::slab {

class PagePool {
 public:
  PagePool(PageArena& arena, MemoryBudget& budget) : arena_(arena), budget_(budget) {}

  // A page that belongs to nobody, charged to the budget.
  [[nodiscard]] std::optional<PageId> Take();
  // The same for whoever has charged kPageBytes ahead.
  [[nodiscard]] std::optional<PageId> TakePaid();
  // The page's memory goes back to the system and its charge to the budget.
  // REQUIRES: nobody can hold a handle into the page.
  void Return(PageId page);
  // The memory of pages below this one is taken already (-L), though nobody has them yet.
  void NotePopulated(PageId end);
  // Gives back so much of that memory that what is left of it still fits the limit beside what is
  // charged for: extents and the index do not live in pages. One huge page at a time, a seventh
  // of a millisecond; false: nothing is left to do.
  bool Shed();
  // Pages that Take() would still grant.
  [[nodiscard]] uint64_t FreeCount() const;
  [[nodiscard]] uint64_t LentCount() const;
  // Pages from this one on were never lent.
  [[nodiscard]] PageId TouchedCount() const;

 private:
  // Whole huge pages: the system splits no others.
  static constexpr PageId kShedPages = kHugePageBytes / kPageBytes;

  [[nodiscard]] bool IsEmptyLocked() const REQUIRES_LOCK(mutex_) {
    return returned_.empty() && untouched_begin_ == arena_.PageCount();
  }
  // REQUIRES: !IsEmptyLocked()
  [[nodiscard]] PageId NextLocked() REQUIRES_LOCK(mutex_);

  PageArena& arena_;
  MemoryBudget& budget_;
  mutable Mutex mutex_{LockRank::kPool};
  std::vector<PageId> returned_ GUARDED_BY(mutex_);
  PageId untouched_begin_ GUARDED_BY(mutex_) = 0;  // pages from here on were never lent
  PageId populated_end_ GUARDED_BY(mutex_) = 0;    // nor is there memory from here on
};

}  // namespace larder::slab
