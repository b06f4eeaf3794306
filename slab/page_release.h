// slab/page_release.h - takes one page from a slab class, step by step.
//
//   Gather    workers give back what they hold, and readers pass: a chunk that is neither free nor
//             indexed now is a reservation, or lent to a socket
//   Start     the page's free chunks are set aside; from now on its chunks that come free stay
//             aside too. A page in which something is held is not started
//   Empty     its items are taken out of the index and retired
//   Gather    again: every chunk that can come home has come
//   Complete  all chunks are aside: the page belongs to nobody
//   Abort     something was reserved or lent meanwhile, or a worker does not answer: the page stays
//             with its class. Its evicted items are not brought back.
//
// The items are evicted, not moved: relocation will put a copy elsewhere in step Empty.
//
// Threads  one release at a time (mutex, rank kPageRelease); others that want one keep passing
//          quiescent states meanwhile, since the one at work waits for theirs.
// Not here which class: rebalance_policy.h
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "slab/chunk_supply.h"
#include "slab/rebalance_policy.h"

namespace larder::slab {

class PageRelease {
 public:
  PageRelease(SlabSet& slabs, ChunkSupply& supply) : slabs_(slabs), supply_(supply) {}

  // Empties a page of some class other than `receiver` (0: any class) and gives it to `receiver`
  // (0: back to the pool). False when no page can be had: everything left is in use this moment.
  // The worker passes quiescent states.
  [[nodiscard]] bool MovePageTo(Worker& worker, uint32_t receiver);
  // The same from a given donor, of which each page is tried. It keeps its last page.
  [[nodiscard]] bool MovePage(Worker& worker, uint32_t donor, uint32_t receiver);

  // Pages that changed hands so far: `slabs_moved`.
  [[nodiscard]] uint64_t MovedCount() const { return moved_count_.load(std::memory_order_relaxed); }

 private:
  // Rounds of Empty and Gather: the second gets the items that were stored during the first.
  static constexpr uint32_t kRoundsMax = 3;

  enum class Result : uint8_t { kMoved, kHeld, kNobodyAnswers, kNoPage };
  // What to do with a page in which a chunk is neither free nor indexed.
  enum class HeldPages : uint8_t { kPassOver, kTryIfStocked };

  void LockPassingQuiescent(Worker& worker) ACQUIRES_LOCK(mutex_);
  [[nodiscard]] Result MoveOne(Worker& worker, uint32_t donor_id, uint32_t receiver,
                               HeldPages held_pages, uint64_t pages_min) REQUIRES_LOCK(mutex_);
  [[nodiscard]] std::vector<ClassFigures> Figures() const;
  [[nodiscard]] std::optional<PageId> PickPageLocked(const SlabClass& donor) const
      REQUIRES_LOCK(donor.mutex);
  [[nodiscard]] bool IsHeldLocked(const SlabClass& donor, PageId page) const
      REQUIRES_LOCK(donor.mutex);
  [[nodiscard]] Result Release(Worker& worker, SlabClass& donor, PageId page) REQUIRES_LOCK(mutex_);
  [[nodiscard]] bool TryComplete(SlabClass& donor, PageId page);
  void GiveTo(uint32_t donor, uint32_t receiver, PageId page);

  SlabSet& slabs_;
  ChunkSupply& supply_;
  Mutex mutex_{LockRank::kPageRelease};
  std::vector<bool> tried_ GUARDED_BY(mutex_);  // by page: in this call, without success
  std::atomic<uint64_t> moved_count_{0};
};

}  // namespace larder::slab
