// slab/cache_upkeep.cc - flush_all, and what the maintainer thread does between requests.
#include "slab/cache.h"
#include "slab/cache_impl.h"

namespace larder::slab {

namespace {

// Generations are 16 bits: items of one are gone for good long before its number comes again.
constexpr uint16_t kPurgeEvery = 1U << 14;

// Removes what is no longer served from one page's lists.
void PurgePage(CacheImpl& cache, Worker& worker, SlabClass& slab_class, PageId page) {
  std::vector<Item*> isolated;
  {
    const MutexLock lock(slab_class.mutex);
    slab_class.ForEachChunk(page, [&](Item* item) UNCHECKED_LOCKING {
      const uint8_t state = item->state.load(std::memory_order_relaxed);
      if (item_state::HolderOf(state) != Holder::kListed || !cache.slabs.IsDead(*item)) return;
      if (ChunkSupply::IsolateLocked(slab_class, item)) isolated.push_back(item);
    });
  }
  for (Item* item : isolated) cache.supply.Finish(worker, item);
}

// Items that are not listed yet are asked for, and found by the next purge at the latest: there
// are four to a round of generations.
void PurgeAll(CacheImpl& cache, Worker& worker) {
  cache.supply.RequestDrain();
  cache.supply.Drain(worker);
  cache.supply.DrainIdle(worker);
  for (SlabClass& slab_class : cache.slabs.classes) {
    std::vector<PageId> pages;
    {
      const MutexLock lock(slab_class.mutex);
      pages = slab_class.PagesLocked();
    }
    for (const PageId page : pages) PurgePage(cache, worker, slab_class, page);
  }
}

void FlushNowLocked(CacheImpl& cache, Worker& worker, uint32_t now_s)
    REQUIRES_LOCK(cache.slabs.flush.mutex) {
  const uint16_t generation = cache.slabs.flush.FlushNow(now_s);
  if (generation % kPurgeEvery == 0) PurgeAll(cache, worker);
}

}  // namespace

// --- flush_all -----------------------------------------------------------------------------------

void Cache::FlushNow(Worker& worker) {
  const MutexLock lock(impl_->slabs.flush.mutex);
  FlushNowLocked(*impl_, worker, impl_->slabs.clock.NowSeconds());
}

void Cache::FlushAt(Worker& worker, uint32_t at_s) {
  const MutexLock lock(impl_->slabs.flush.mutex);
  const uint32_t now_s = impl_->slabs.clock.NowSeconds();
  if (at_s < now_s) {
    FlushNowLocked(*impl_, worker, now_s);
  } else {
    impl_->slabs.flush.FlushAt(at_s);
  }
}

void Cache::CancelFlush() {
  const MutexLock lock(impl_->slabs.flush.mutex);
  impl_->slabs.flush.Cancel();
}

// --- background work -----------------------------------------------------------------------------

namespace {

// The second of a delayed flush is over: what was stored up to its end is gone.
void EndDelayedFlush(CacheImpl& cache, Worker& worker, uint32_t now_s) {
  const MutexLock lock(cache.slabs.flush.mutex);
  if (!cache.slabs.flush.IsDue(now_s)) return;
  const uint32_t flushed_s = cache.slabs.flush.LastSecond();
  FlushNowLocked(cache, worker, flushed_s + 1);
}

// The index is refused memory while pages hold all of it: one page makes room for it.
void FeedIndex(CacheImpl& cache, Worker& worker) {
  if (!cache.slabs.index.WantsMemory()) return;
  if (cache.slabs.pool.FreeCount() > 0 || cache.release.MovePageTo(worker, 0)) {
    cache.slabs.index.MemoryFreed();
  }
}

}  // namespace

void Cache::Maintain(uint32_t now_s) {
  Worker& worker = impl_->maintainer;
  Online(worker);
  if (impl_->slabs.flush.IsDue(now_s)) EndDelayedFlush(*impl_, worker, now_s);
  impl_->supply.DrainIdle(worker);
  FeedIndex(*impl_, worker);
  impl_->rebalancer.Step(worker);
  impl_->supply.Collect(worker);
  Offline(worker);
}

}  // namespace larder::slab
