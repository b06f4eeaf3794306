#include "slab/page_release.h"

#include <sched.h>

#include "slab/event_sink.h"
#include "slab/race_window.h"

namespace larder::slab {

std::vector<ClassFigures> PageRelease::Figures() const {
  std::vector<ClassFigures> figures;
  for (const SlabClass& slab_class : slabs_.classes) {
    const MutexLock lock(slab_class.mutex);
    ClassFigures donor{.class_id = slab_class.Id(),
                       .page_count = slab_class.PageCountLocked(),
                       .free_chunk_count = slab_class.FreeCountLocked(),
                       .chunks_per_page = slab_class.ChunksPerPage()};
    // A class whose pages were all tried in vain has nothing to give.
    if (!PickPageLocked(slab_class)) donor.page_count = 0;
    figures.push_back(donor);
  }
  return figures;
}

// The page with the most free chunks: the fewest items are lost.
std::optional<PageId> PageRelease::PickPageLocked(const SlabClass& donor) const UNCHECKED_LOCKING {
  std::optional<PageId> best;
  for (const PageId page : donor.PagesLocked()) {
    if (tried_[page]) continue;
    const uint32_t free_count = slabs_.arena.Info(page).free_count;
    // With evictions off only a page without items may change hands.
    if (!slabs_.config.evict && free_count < donor.ChunksPerPage()) continue;
    if (!best || free_count > slabs_.arena.Info(*best).free_count) best = page;
  }
  return best;
}

void PageRelease::LockPassingQuiescent(Worker& worker) UNCHECKED_LOCKING {
  while (!mutex_.TryLock()) {
    supply_.PassQuiescent(worker);
    sched_yield();
  }
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
bool PageRelease::MovePageTo(Worker& worker, uint32_t receiver) {
  LockPassingQuiescent(worker);
  Result result = supply_.Gather(worker) ? Result::kHeld : Result::kNobodyAnswers;
  for (const HeldPages held : {HeldPages::kPassOver, HeldPages::kTryIfStocked}) {
    if (result == Result::kMoved || result == Result::kNobodyAnswers) break;
    tried_.assign(slabs_.arena.PageCount(), false);
    // Bounded by the pages there are: each is tried once in a pass.
    do {
      const uint32_t donor = PickDonor(Figures(), receiver);
      result = donor == 0 ? Result::kNoPage : MoveOne(worker, donor, receiver, held, 1);
    } while (result == Result::kHeld);
  }
  mutex_.Unlock();
  return result == Result::kMoved;
}

bool PageRelease::MovePage(Worker& worker, uint32_t donor, uint32_t receiver) {
  LockPassingQuiescent(worker);
  tried_.assign(slabs_.arena.PageCount(), false);
  Result result = supply_.Gather(worker) ? Result::kHeld : Result::kNobodyAnswers;
  while (result == Result::kHeld) {
    result = MoveOne(worker, donor, receiver, HeldPages::kPassOver, 2);
  }
  mutex_.Unlock();
  return result == Result::kMoved;
}

PageRelease::Result PageRelease::MoveOne(Worker& worker, uint32_t donor_id, uint32_t receiver,
                                         HeldPages held_pages, uint64_t pages_min) {
  SlabClass& donor = slabs_.Class(donor_id);
  std::optional<PageId> page;
  {
    const MutexLock lock(donor.mutex);
    if (donor.PageCountLocked() < pages_min) return Result::kNoPage;
    page = PickPageLocked(donor);
    if (!page) return Result::kNoPage;
    tried_[*page] = true;
    const bool may_try_held = held_pages == HeldPages::kTryIfStocked && donor.IsStocked();
    if (!may_try_held && IsHeldLocked(donor, *page)) return Result::kHeld;
    donor.StartReleaseLocked(*page);
  }
  const Result result = Release(worker, donor, *page);
  if (result == Result::kMoved) GiveTo(donor_id, receiver, *page);
  return result;
}

PageRelease::Result PageRelease::Release(Worker& worker, SlabClass& donor, PageId page) {
  bool everybody_answers = true;
  for (uint32_t round = 0; round < kRoundsMax && everybody_answers; ++round) {
    // Empty: everything goes, dead or alive.
    supply_.RemoveFromPage(worker, donor, page, [](const Item&) { return true; });
    RaceWindow(Window::kPageWalkedNotDrained);
    everybody_answers = supply_.Gather(worker);
    // Without the grace period the sweeper may still be looking at the page.
    if (everybody_answers && TryComplete(donor, page)) return Result::kMoved;
  }
  const MutexLock lock(donor.mutex);
  donor.AbortReleaseLocked(page);
  return everybody_answers ? Result::kHeld : Result::kNobodyAnswers;
}

bool PageRelease::TryComplete(SlabClass& donor, PageId page) {
  const MutexLock lock(donor.mutex);
  if (!donor.IsReleasableLocked(page)) return false;
  donor.CompleteReleaseLocked(page);
  return true;
}

void PageRelease::GiveTo(uint32_t donor, uint32_t receiver, PageId page) {
  EventSink* const events = slabs_.config.events;
  if (events != nullptr && events->Wants(EventSink::kPageMoves)) {
    events->OnPageMove({.donor = donor, .receiver = receiver});
  }
  moved_count_.fetch_add(1, std::memory_order_relaxed);
  if (receiver == 0) {
    slabs_.pool.Return(page);
    return;
  }
  SlabClass& slab_class = slabs_.Class(receiver);
  const MutexLock lock(slab_class.mutex);
  slab_class.AddPageLocked(page);
}

}  // namespace larder::slab
