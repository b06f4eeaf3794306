// slab/page_release.h - takes one page from a slab class, step by step.
//
//   Gather    workers give back what they hold, and readers pass: a chunk that is neither free nor
//             indexed now is a reservation, or lent to a socket
//   Start     the page's free chunks are set aside; from now on its chunks that come free stay
//             aside too. A page in which something is held is not started
//   Relocate  its items go on in chunks elsewhere in the class (relocation.h), as far as there are
//             any; readers never notice. Where the class has not got the room, it loses the items
//             that eviction would have taken, not those that happen to live in the page
//   Gather    again: every chunk that can come home has come. Relocate and Gather go in rounds: a
//             later one finds the room that was made meanwhile, and what was stored meanwhile
//   Complete  all chunks are aside: the page belongs to nobody
//   Abort     something was reserved or lent meanwhile, a worker does not answer, or somebody is
//             waiting in line: the page stays with its class, with the items that are still there
//
// Invariants  An item is evicted only if no chunk was found for it in its class, and with evictions
//             off not even then: the page is aborted. Dead items are dropped.
//             Between Start and Complete no chunk of the page is handed out, so the page only gets
//             emptier, but for chunks that were reserved before Start and are published after.
//             A class loses its last page only to a class that has none to live on (MovePageTo).
//
// Haste       In the background a step of kStepItems items is followed by a quiescent state, so
//             that no grace period of anybody waits longer for this worker than for another; room
//             is made by evicting. A worker that needs a page in line has a client waiting: it
//             makes no room and waits for none, moves at most kInLineMovesMax items into what is
//             free, about half a millisecond, and drops the rest, which are those that the hand
//             would have come to next. Evicting as many elsewhere and copying would take several
//             times as long. Who works in the background gives way to those who wait in line.
//
// Threads  one release at a time (mutex, rank kPageRelease); others that want one keep passing
//          quiescent states meanwhile, since the one at work waits for theirs.
// Large items' memory is in extents: a page of theirs is a page's worth of these
// (large_release.cc).
//
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

  enum class Haste : uint8_t { kInLine, kBackground };

  // Empties a page of some class other than `receiver` (0: any class) and gives it to `receiver`
  // (0: back to the pool). False when no page can be had: everything left is in use this moment.
  // The worker passes quiescent states.
  [[nodiscard]] bool MovePageTo(Worker& worker, uint32_t receiver, Haste haste);
  // The same in the background from a given donor, of which each page is tried. It keeps its last
  // page.
  [[nodiscard]] bool MovePage(Worker& worker, uint32_t donor, uint32_t receiver);

  // Pages that changed hands so far: `slabs_moved`.
  [[nodiscard]] uint64_t MovedCount() const { return moved_count_.load(std::memory_order_relaxed); }

 private:
  // Rounds of Relocate and Gather: the second has the room that the first made.
  static constexpr uint32_t kRoundsMax = 4;
  static constexpr uint32_t kStepItems = 64;
  static constexpr uint32_t kInLineMovesMax = 1024;

  enum class Result : uint8_t { kMoved, kHeld, kNobodyAnswers, kGaveWay, kNoPage };
  // What to do with a page in which a chunk is neither free nor indexed.
  enum class HeldPages : uint8_t { kPassOver, kTryIfStocked };

  // One page on its way out.
  struct Departure {
    SlabClass& donor;
    PageId page = 0;
    Haste haste = Haste::kBackground;
    uint64_t surplus = 0;         // items more than the class has room for elsewhere
    uint32_t moves_left = 0;      // how many may still be copied
    bool is_last_round = false;   // what finds no chunk now never will
    uint32_t homeless_count = 0;  // of the present round: left where they are
  };

  void LockPassingQuiescent(Worker& worker, Haste haste) ACQUIRES_LOCK(mutex_);
  [[nodiscard]] Result MoveOne(Worker& worker, uint32_t donor_id, uint32_t receiver, Haste haste,
                               HeldPages held_pages, uint64_t pages_min) REQUIRES_LOCK(mutex_);
  [[nodiscard]] std::vector<ClassFigures> Figures() const REQUIRES_LOCK(mutex_);
  [[nodiscard]] std::optional<PageId> PickPageLocked(const SlabClass& donor) const
      REQUIRES_LOCK(donor.mutex);
  [[nodiscard]] bool IsHeldLocked(const SlabClass& donor, PageId page) const
      REQUIRES_LOCK(donor.mutex);
  [[nodiscard]] Departure StartLocked(SlabClass& donor, PageId page, Haste haste)
      REQUIRES_LOCK(donor.mutex);
  [[nodiscard]] Result Release(Worker& worker, Departure& departure) REQUIRES_LOCK(mutex_);
  // False: somebody is waiting in line.
  [[nodiscard]] bool RelocateItems(Worker& worker, Departure& departure);
  void RelocateOne(Worker& worker, Departure& departure, Item* item);
  [[nodiscard]] bool MoveElsewhere(Worker& worker, Departure& departure, Item* item);
  void MakeRoom(Worker& worker, const Departure& departure);
  [[nodiscard]] bool GivesWay(const Departure& departure) const;
  [[nodiscard]] bool TryComplete(SlabClass& donor, PageId page);
  void TellMoved(uint32_t donor, uint32_t receiver);
  void GiveTo(uint32_t donor, uint32_t receiver, PageId page);

  // --- large items (large_release.cc) ----------------------------------------------------------
  // Their row as a donor. `has_page`: of heads, all free.
  [[nodiscard]] ClassFigures WhatLargeGive(const ClassFigures& figures, bool has_page) const
      REQUIRES_LOCK(mutex_);
  // An empty page of heads, or else a page's worth of extents.
  [[nodiscard]] Result MoveOneOfLarge(Worker& worker, uint32_t receiver, Haste haste,
                                      uint64_t pages_min) REQUIRES_LOCK(mutex_);
  [[nodiscard]] std::optional<Departure> StartEmptyPage(SlabClass& heads, Haste haste)
      REQUIRES_LOCK(mutex_);
  [[nodiscard]] Result MoveExtents(Worker& worker, uint32_t receiver) REQUIRES_LOCK(mutex_);

  SlabSet& slabs_;
  ChunkSupply& supply_;
  Mutex mutex_{LockRank::kPageRelease};
  std::vector<bool> tried_ GUARDED_BY(mutex_);     // by page: in this call, without success
  bool extents_tried_ GUARDED_BY(mutex_) = false;  // the same for large items' extents
  std::atomic<uint32_t> in_line_count_{0};         // workers that wait for mutex_
  std::atomic<uint64_t> moved_count_{0};
};

}  // namespace larder::slab
