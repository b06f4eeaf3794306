// slab/cache_upkeep.cc - flush_all, and what the maintainer thread does between requests.
#include <algorithm>
#include <chrono>
#include <vector>

#include "slab/cache.h"
#include "slab/cache_impl.h"
#include "slab/class_figures.h"
#include "slab/rebalance_policy.h"

namespace larder::slab {

namespace {

// Generations are 16 bits: items of one must be gone before its number comes again. Every
// kPurgeEvery flushes a purge begins, and from then on each flush does a bounded step of it, enough
// of them to be through with all pages before the next begins. No flush, no danger, no work. (The
// sweeper as a rule has been there before, but nothing makes it be done in time: whoever flushes a
// thousand times a second does this work himself.)
constexpr uint16_t kPurgeEvery = 1U << 14;
constexpr uint32_t kPagesPerStepMin = 4;

// Removes what is no longer served from one page's lists.
void PurgePage(CacheImpl& cache, Worker& worker, PageId page) {
  const uint32_t class_id = cache.slabs.arena.Info(page).class_id.load(std::memory_order_relaxed);
  if (class_id == 0) return;
  cache.supply.RemoveFromPage(worker, cache.slabs.Class(class_id), page,
                              [&cache](const Item& item) { return cache.slabs.IsDead(item); });
}

void PurgeStep(CacheImpl& cache, Worker& worker) REQUIRES_LOCK(cache.slabs.flush.mutex) {
  const uint32_t page_count = cache.slabs.pool.TouchedCount();
  const uint32_t step = std::max(kPagesPerStepMin, page_count / kPurgeEvery + 1);
  for (uint32_t i = 0; i < step && cache.purge_cursor < page_count; ++i) {
    PurgePage(cache, worker, cache.purge_cursor++);
  }
}

void FlushNowLocked(CacheImpl& cache, Worker& worker, uint32_t now_s)
    REQUIRES_LOCK(cache.slabs.flush.mutex) {
  const uint16_t generation = cache.slabs.flush.FlushNow(now_s);
  if (generation % kPurgeEvery == 0) {
    cache.purge_cursor = 0;
    // Items that are not in a list yet are asked for, and found by the next purge at the latest:
    // there are four to a round of generations.
    cache.supply.RequestDrain();
    cache.supply.Drain(worker);
    cache.supply.DrainIdle(worker);
  }
  PurgeStep(cache, worker);
}

// A delayed flush in its second is ended before another takes its place: nothing comes back.
void EndActingFlush(CacheImpl& cache, Worker& worker, uint32_t now_s)
    REQUIRES_LOCK(cache.slabs.flush.mutex) {
  if (cache.slabs.flush.IsActing(now_s)) FlushNowLocked(cache, worker, now_s);
}

}  // namespace

// --- flush_all -----------------------------------------------------------------------------------

void Cache::FlushNow(Worker& worker) {
  {
    const MutexLock lock(impl_->slabs.flush.mutex);
    FlushNowLocked(*impl_, worker, impl_->slabs.clock.NowSeconds());
  }
  impl_->SweepIfSmall(worker);
}

void Cache::FlushAt(Worker& worker, uint32_t at_s) {
  const MutexLock lock(impl_->slabs.flush.mutex);
  const uint32_t now_s = impl_->slabs.clock.NowSeconds();
  if (at_s < now_s) {
    FlushNowLocked(*impl_, worker, now_s);
    return;
  }
  EndActingFlush(*impl_, worker, now_s);
  impl_->slabs.flush.FlushAt(at_s);
}

void Cache::CancelFlush(Worker& worker) {
  const MutexLock lock(impl_->slabs.flush.mutex);
  EndActingFlush(*impl_, worker, impl_->slabs.clock.NowSeconds());
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
  if (cache.slabs.pool.FreeCount() > 0 ||
      cache.release.MovePageTo(worker, 0, PageRelease::Haste::kBackground)) {
    cache.slabs.index.MemoryFreed();
  }
}

uint64_t ItemCount(const SlabSet& slabs) {
  uint64_t added = 0;
  uint64_t removed = 0;
  slabs.workers.ForEach([&](const Worker& worker) {
    for (const WorkerClassCounters& counters : worker.counters.classes) {
      added += counters.items_added.Get();
      removed += counters.items_removed.Get();
    }
  });
  return added - std::min(added, removed);  // workers go on counting
}

// Who was evicted is remembered in proportion to the items there are, and never in more than a
// 32nd of the memory: the table does not shrink when items become fewer.
void FeedGhost(CacheImpl& cache, Worker& worker) {
  constexpr uint64_t kPartMax = 32;
  Ghost& ghost = cache.slabs.ghost;
  if (!cache.slabs.config.evict) return;
  ghost.SetItemCount(ItemCount(cache.slabs));
  while (ghost.IsSmall() && 2 * ghost.Bytes() <= cache.slabs.budget.LimitBytes() / kPartMax) {
    if (ghost.Grow()) continue;
    if (!cache.release.MovePageTo(worker, 0, PageRelease::Haste::kBackground)) return;
  }
}

// Items have this much in any case: without a page nothing can be stored.
constexpr uint64_t kPagesMin = 8;

// Idle memory beyond what is kept of it goes back to the system.
// A lowered limit is reached page by page; what the index takes stays. The clock waits for the
// maintainer, so it is time that bounds a step.
void ReturnExcess(CacheImpl& cache, Worker& worker) {
  constexpr std::chrono::milliseconds kStep{20};
  const auto end = std::chrono::steady_clock::now() + kStep;
  while (cache.slabs.extents.Trim() > 0 && std::chrono::steady_clock::now() < end) {
  }
  while (cache.slabs.pool.Shed()) {
  }
  while (cache.slabs.budget.ExcessBytes() > 0 &&
         (cache.slabs.pool.LentCount() > kPagesMin || cache.slabs.extents.UsedBytes() > 0)) {
    if (!cache.release.MovePageTo(worker, 0, PageRelease::Haste::kBackground) ||
        std::chrono::steady_clock::now() >= end)
      return;
  }
}

}  // namespace

void Cache::EndDueFlush(uint32_t now_s) {
  if (!impl_->slabs.flush.IsDue(now_s)) return;
  Worker& worker = impl_->maintainer;
  Online(worker);
  EndDelayedFlush(*impl_, worker, now_s);
  Offline(worker);
}

void Cache::Upkeep() {
  Worker& worker = impl_->maintainer;
  Online(worker);
  impl_->supply.DrainIdle(worker);
  FeedIndex(*impl_, worker);
  FeedGhost(*impl_, worker);
  ReturnExcess(*impl_, worker);
  // Relaxed: a switch; a step more or less does not matter.
  if (impl_->rebalances.load(std::memory_order_relaxed)) impl_->rebalancer.Step(worker);
  impl_->supply.Collect(worker);
  Offline(worker);
}

bool Cache::Sweep(uint32_t number) {
  Sweeper& sweeper = impl_->sweepers[number];
  Worker& worker = sweeper.AsWorker();
  Online(worker);
  const bool has_more = sweeper.Step();
  impl_->supply.Collect(worker);
  Offline(worker);
  return has_more;
}

uint32_t Cache::SweeperCount() const { return impl_->slabs.config.sweeper_count; }

void Cache::Maintain(uint32_t now_s) {
  EndDueFlush(now_s);
  for (uint32_t number = 0; number < SweeperCount(); ++number) (void)Sweep(number);
  Upkeep();
}

// --- memory ------------------------------------------------------------------------------------

bool Cache::SetLimit(uint64_t limit_bytes) {
  SlabSet& slabs = impl_->slabs;
  if (slabs.config.preallocate) return false;
  // Index and ghost table do not shrink: what they have is taken from the items' part.
  const uint64_t kept_bytes = slabs.index.Bytes() + slabs.ghost.Bytes();
  const uint64_t bytes_min = std::max(kLimitBytesMin, kept_bytes + kPagesMin * kPageBytes);
  if (limit_bytes < bytes_min || limit_bytes > slabs.arena.Bytes()) return false;
  slabs.budget.SetLimit(limit_bytes);
  return true;
}

void Cache::SetRebalancing(bool on) { impl_->rebalances.store(on, std::memory_order_relaxed); }

namespace {

bool HasSparePage(SlabSet& slabs, uint32_t class_id) {
  SlabClass& slab_class = slabs.Class(class_id);
  const MutexLock lock(slab_class.mutex);
  return FiguresOfLocked(slabs, slab_class).page_count >= 2;
}

MovePageStatus TakeFromPool(CacheImpl& cache, uint32_t receiver) {
  // Memory that is nobody's is large values' as it is.
  if (receiver == cache.slabs.LargeClassId()) {
    return cache.slabs.pool.FreeCount() > 0 ? MovePageStatus::kMoved : MovePageStatus::kNoSparePage;
  }
  return cache.supply.AddPageFromPool(cache.slabs.Class(receiver)) ? MovePageStatus::kMoved
                                                                   : MovePageStatus::kNoSparePage;
}

// Of the classes that have a page to spare, the one that misses it least; 0: none has.
uint32_t AnyDonor(SlabSet& slabs, uint32_t receiver) {
  std::vector<ClassFigures> classes;
  for (const SlabClass& slab_class : slabs.classes) {
    const MutexLock lock(slab_class.mutex);
    const ClassFigures figures = FiguresOfLocked(slabs, slab_class);
    if (figures.page_count >= 2) classes.push_back(figures);
  }
  return PickDonor(classes, receiver);
}

}  // namespace

MovePageStatus Cache::MovePage(Worker& worker, int32_t donor, int32_t receiver) {
  SlabSet& slabs = impl_->slabs;
  const auto class_count = static_cast<int32_t>(slabs.classes.size());
  if (donor == receiver) return MovePageStatus::kSameClass;
  if (donor > class_count || receiver < 0 || receiver > class_count) {
    return MovePageStatus::kNoSuchClass;
  }
  const auto to = static_cast<uint32_t>(receiver);
  if (donor == 0) return TakeFromPool(*impl_, to);
  const uint32_t from = donor < 0 ? AnyDonor(slabs, to) : static_cast<uint32_t>(donor);
  if (from == 0) return MovePageStatus::kNoSuchClass;
  if (!HasSparePage(slabs, from)) return MovePageStatus::kNoSparePage;
  return impl_->release.MovePage(worker, from, to) ? MovePageStatus::kMoved
                                                   : MovePageStatus::kNotNow;
}

}  // namespace larder::slab
