#include "slab/page_release.h"

#include <algorithm>

#include "slab/class_figures.h"
#include "slab/event_sink.h"
#include "slab/race_window.h"
#include "slab/relocation.h"

namespace larder::slab {

std::vector<ClassFigures> PageRelease::Figures() const {
  std::vector<ClassFigures> figures;
  for (const SlabClass& slab_class : slabs_.classes) {
    const MutexLock lock(slab_class.mutex);
    ClassFigures donor = FiguresOfLocked(slabs_, slab_class);
    const bool has_page = PickPageLocked(slab_class).has_value();
    if (slab_class.Id() == slabs_.LargeClassId()) {
      donor = WhatLargeGive(donor, has_page);
    } else if (!has_page) {
      donor.page_count = 0;  // a class whose pages were all tried in vain has nothing to give
    }
    figures.push_back(donor);
  }
  return figures;
}

// Where chunks lie free, the page with the most of them: the least has to be moved. In a full class
// the one that the hand comes to next: its items are the class's oldest.
std::optional<PageId> PageRelease::PickPageLocked(const SlabClass& donor) const UNCHECKED_LOCKING {
  constexpr uint32_t kMuchFreeDivisor = 4;
  const std::vector<PageId>& pages = donor.PagesLocked();
  // With evictions off a page may change hands if all that lives there has room elsewhere.
  if (!slabs_.config.evict && donor.FreeCountLocked() < donor.ChunksPerPage()) return std::nullopt;
  // No head is moved (item.h).
  const bool is_of_heads = donor.Id() == slabs_.LargeClassId();
  std::optional<PageId> first;
  std::optional<PageId> emptiest;
  for (size_t i = 0; i < pages.size(); ++i) {
    const PageId page = pages[(donor.LruLocked().PageAfterHand() + i) % pages.size()];
    if (tried_[page]) continue;
    const uint32_t free_count = slabs_.arena.FreeCount(page);
    if (is_of_heads && free_count < donor.ChunksPerPage()) continue;
    if (!first) first = page;
    if (!emptiest || free_count > slabs_.arena.FreeCount(*emptiest)) emptiest = page;
  }
  if (!first) return std::nullopt;
  const uint32_t free_count = slabs_.arena.FreeCount(*emptiest);
  return free_count > donor.ChunksPerPage() / kMuchFreeDivisor ? emptiest : first;
}

void PageRelease::LockPassingQuiescent(Worker& worker, Haste haste) UNCHECKED_LOCKING {
  if (mutex_.TryLock()) return;
  // Relaxed: a wish, seen soon enough.
  if (haste == Haste::kInLine) in_line_count_.fetch_add(1, std::memory_order_relaxed);
  supply_.LockPassingQuiescent(worker, mutex_);
  if (haste == Haste::kInLine) in_line_count_.fetch_sub(1, std::memory_order_relaxed);
}

bool PageRelease::GivesWay(const Departure& departure) const {
  return departure.haste == Haste::kBackground &&
         in_line_count_.load(std::memory_order_relaxed) > 0;
}

// A chunk that is neither free nor in the index belongs to somebody; a pinned one is being sent.
bool PageRelease::IsHeldLocked(const SlabClass& donor, PageId page) const {
  bool is_held = false;
  donor.ForEachChunk(page, [&](Item* chunk) {
    const uint8_t state = chunk->state.load(std::memory_order_relaxed);
    if ((state & item_state::kFree) != 0) return;
    if (!chunk->IsIndexed()) {
      is_held = true;
      return;
    }
    // Relaxed: a pin that comes later is found when the page does not become empty.
    is_held |= chunk->IsPinnable() && chunk->Pins().load(std::memory_order_relaxed) > 0;
  });
  return is_held;
}

// In two passes: first pages in which nothing is held, then those of stocked classes all the same,
// because there a chunk may just lie in the stock of a worker that is busy, and come home when the
// worker is asked again. In other classes it is a reservation or lent.
bool PageRelease::MovePageTo(Worker& worker, uint32_t receiver, Haste haste) {
  LockPassingQuiescent(worker, haste);
  Result result = supply_.Gather(worker) ? Result::kHeld : Result::kNobodyAnswers;
  extents_tried_ = false;
  for (const HeldPages held : {HeldPages::kPassOver, HeldPages::kTryIfStocked}) {
    if (result != Result::kHeld && result != Result::kNoPage) break;
    tried_.assign(slabs_.arena.PageCount(), false);
    // Bounded by the pages there are: each is tried once in a pass.
    do {
      const uint32_t donor = PickDonor(Figures(), receiver);
      result = donor == 0 ? Result::kNoPage : MoveOne(worker, donor, receiver, haste, held, 1);
    } while (result == Result::kHeld);
  }
  mutex_.Unlock();
  return result == Result::kMoved;
}

bool PageRelease::MovePage(Worker& worker, uint32_t donor, uint32_t receiver) {
  // Large values take what is nobody's.
  if (receiver == slabs_.LargeClassId()) receiver = 0;
  LockPassingQuiescent(worker, Haste::kBackground);
  extents_tried_ = false;
  tried_.assign(slabs_.arena.PageCount(), false);
  Result result = supply_.Gather(worker) ? Result::kHeld : Result::kNobodyAnswers;
  while (result == Result::kHeld) {
    result = MoveOne(worker, donor, receiver, Haste::kBackground, HeldPages::kPassOver, 2);
  }
  mutex_.Unlock();
  return result == Result::kMoved;
}

PageRelease::Result PageRelease::MoveOne(Worker& worker, uint32_t donor_id, uint32_t receiver,
                                         Haste haste, HeldPages held_pages, uint64_t pages_min) {
  if (donor_id == slabs_.LargeClassId()) return MoveOneOfLarge(worker, receiver, haste, pages_min);
  SlabClass& donor = slabs_.Class(donor_id);
  std::optional<Departure> departure;
  {
    const MutexLock lock(donor.mutex);
    if (donor.PageCountLocked() < pages_min) return Result::kNoPage;
    const std::optional<PageId> page = PickPageLocked(donor);
    if (!page) return Result::kNoPage;
    tried_[*page] = true;
    const bool may_try_held = held_pages == HeldPages::kTryIfStocked && donor.IsStocked();
    if (!may_try_held && IsHeldLocked(donor, *page)) {
      worker.counters.slab_reassign_busy_items.Add();
      return Result::kHeld;
    }
    departure.emplace(StartLocked(donor, *page, haste));
  }
  const Result result = Release(worker, *departure);
  if (result == Result::kMoved) GiveTo(donor_id, receiver, departure->page);
  return result;
}

PageRelease::Departure PageRelease::StartLocked(SlabClass& donor, PageId page, Haste haste) {
  donor.StartReleaseLocked(page);
  const uint64_t item_count = donor.ChunksPerPage() - slabs_.arena.FreeCount(page);
  const uint64_t room = donor.FreeCountLocked();
  // With evictions off there is nothing else to do with an item, however long it takes.
  const bool is_bounded = haste == Haste::kInLine && slabs_.config.evict;
  return {.donor = donor,
          .page = page,
          .haste = haste,
          .surplus = item_count - std::min(item_count, room),
          .moves_left = is_bounded ? kInLineMovesMax : ~0U};
}

PageRelease::Result PageRelease::Release(Worker& worker, Departure& departure) {
  Result failure = Result::kHeld;
  for (uint32_t round = 1; round <= kRoundsMax && failure == Result::kHeld; ++round) {
    departure.is_last_round = round == kRoundsMax;
    if (!RelocateItems(worker, departure)) failure = Result::kGaveWay;
    RaceWindow(Window::kPageWalkedNotDrained);
    if (departure.homeless_count > 0 && failure == Result::kHeld) MakeRoom(worker, departure);
    // Who gives way does not gather either: what is on its way home arrives after Abort, too.
    if (failure == Result::kHeld && !supply_.Gather(worker)) failure = Result::kNobodyAnswers;
    // Without the grace period the sweeper may still be looking at the page.
    if (failure == Result::kHeld && TryComplete(departure.donor, departure.page)) {
      return Result::kMoved;
    }
  }
  const MutexLock lock(departure.donor.mutex);
  departure.donor.AbortReleaseLocked(departure.page);
  return failure;
}

// --- Relocate ------------------------------------------------------------------------------------

bool PageRelease::RelocateItems(Worker& worker, Departure& departure) {
  departure.homeless_count = 0;
  uint32_t looked_count = 0;
  bool goes_on = true;
  departure.donor.ForEachChunk(departure.page, [&](Item* chunk) {
    if (!goes_on || !chunk->IsIndexed()) return;
    RelocateOne(worker, departure, chunk);
    if (++looked_count % kStepItems != 0) return;
    // Which of the chunks ahead are indexed is asked anew: what was seen before is void.
    supply_.PassQuiescent(worker);
    goes_on = !GivesWay(departure);
  });
  return goes_on;
}

void PageRelease::RelocateOne(Worker& worker, Departure& departure, Item* item) {
  if (slabs_.IsDead(*item)) {
    supply_.Drop(worker, item);
    return;
  }
  // The class has to lose some; those that the hand would take are in this page.
  if (departure.surplus > 0 && slabs_.config.evict && Lru::IsDue(*item)) {
    if (supply_.Drop(worker, item)) --departure.surplus;
    return;
  }
  if (MoveElsewhere(worker, departure, item)) return;
  const bool may_wait = departure.haste == Haste::kBackground && !departure.is_last_round;
  if (may_wait || !slabs_.config.evict) {
    ++departure.homeless_count;
  } else {
    supply_.Drop(worker, item);
  }
}

// False: there is no chunk for it.
bool PageRelease::MoveElsewhere(Worker& worker, Departure& departure, Item* item) {
  if (departure.moves_left == 0) return false;
  while (Item* const room = supply_.TakeFree(worker, departure.donor)) {
    // This worker's stock may have one of the page's, taken before Start; back it goes, aside.
    const bool is_elsewhere = slabs_.arena.PageOf(slabs_.arena.HandleOf(room)) != departure.page;
    if (!is_elsewhere || !Relocate(slabs_, supply_, worker, item, room)) {
      supply_.GiveBack(worker, room);
    }
    if (!is_elsewhere) continue;
    --departure.moves_left;
    return true;
  }
  return false;
}

// The coldest of the class make room for those of the page; their chunks are there after the grace
// period that ends the round.
void PageRelease::MakeRoom(Worker& worker, const Departure& departure) {
  worker.counters.slab_reassign_busy_nomem.Add();
  uint32_t evicted_count = 0;
  while (evicted_count < departure.homeless_count && !GivesWay(departure)) {
    const uint32_t wanted =
        std::min(departure.homeless_count - evicted_count, departure.donor.BatchCount());
    const uint32_t count = supply_.Evict(worker, departure.donor, wanted);
    if (count == 0) return;
    evicted_count += count;
    supply_.PassQuiescent(worker);
  }
}

// --- Complete ------------------------------------------------------------------------------------

bool PageRelease::TryComplete(SlabClass& donor, PageId page) {
  const MutexLock lock(donor.mutex);
  if (!donor.IsReleasableLocked(page)) return false;
  donor.CompleteReleaseLocked(page);
  return true;
}

void PageRelease::TellMoved(uint32_t donor, uint32_t receiver) {
  EventSink* const events = slabs_.config.events;
  if (events != nullptr && events->Wants(EventSink::kPageMoves)) {
    events->OnPageMove({.donor = donor, .receiver = receiver});
  }
  moved_count_.fetch_add(1, std::memory_order_relaxed);
}

void PageRelease::GiveTo(uint32_t donor, uint32_t receiver, PageId page) {
  TellMoved(donor, receiver);
  if (receiver == 0) {
    slabs_.pool.Return(page);
    return;
  }
  SlabClass& slab_class = slabs_.Class(receiver);
  const MutexLock lock(slab_class.mutex);
  slab_class.AddPageLocked(page);
}

}  // namespace larder::slab
