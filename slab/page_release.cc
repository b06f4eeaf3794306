#include "slab/page_release.h"

#include <sched.h>

#include <algorithm>

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
    if (std::find(tried_.begin(), tried_.end(), page) != tried_.end()) continue;
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

bool PageRelease::MovePageTo(Worker& worker, uint32_t receiver) {
  LockPassingQuiescent(worker);
  bool moved = false;
  tried_.clear();
  for (uint32_t attempt = 0; attempt < kAttemptsMax && !moved; ++attempt) {
    const uint32_t donor = PickDonor(Figures(), receiver);
    if (donor == 0) break;
    moved = MoveOne(worker, donor, receiver);
  }
  mutex_.Unlock();
  return moved;
}

bool PageRelease::MovePage(Worker& worker, uint32_t donor, uint32_t receiver) {
  LockPassingQuiescent(worker);
  tried_.clear();
  const bool moved = MoveOne(worker, donor, receiver);
  mutex_.Unlock();
  return moved;
}

bool PageRelease::MoveOne(Worker& worker, uint32_t donor_id, uint32_t receiver) {
  SlabClass& donor = slabs_.Class(donor_id);
  std::optional<PageId> page;
  {
    const MutexLock lock(donor.mutex);
    page = PickPageLocked(donor);
    if (!page) return false;
    donor.StartReleaseLocked(*page);
  }
  if (!TryRelease(worker, donor, *page)) {
    tried_.push_back(*page);
    return false;
  }
  GiveTo(receiver, *page);
  return true;
}

bool PageRelease::TryRelease(Worker& worker, SlabClass& donor, PageId page) {
  for (uint32_t round = 0; round < kRoundsMax; ++round) {
    if (TryComplete(donor, page)) return true;
    Empty(worker, donor, page);
    RaceWindow(Window::kPageWalkedNotDrained);
    if (!supply_.Gather(worker)) break;
  }
  if (TryComplete(donor, page)) return true;
  const MutexLock lock(donor.mutex);
  donor.AbortReleaseLocked(page);
  return false;
}

void PageRelease::Empty(Worker& worker, SlabClass& donor, PageId page) {
  std::vector<Item*> isolated;
  {
    const MutexLock lock(donor.mutex);
    donor.ForEachChunk(page, [&](Item* item) UNCHECKED_LOCKING {
      const uint8_t state = item->state.load(std::memory_order_relaxed);
      if (item_state::HolderOf(state) != Holder::kListed) return;
      if (ChunkSupply::IsolateLocked(donor, item)) isolated.push_back(item);
    });
  }
  for (Item* item : isolated) supply_.Finish(worker, item);
}

bool PageRelease::TryComplete(SlabClass& donor, PageId page) {
  const MutexLock lock(donor.mutex);
  if (!donor.IsReleasableLocked(page)) return false;
  donor.CompleteReleaseLocked(page);
  return true;
}

void PageRelease::GiveTo(uint32_t receiver, PageId page) {
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
