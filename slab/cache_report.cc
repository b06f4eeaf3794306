// slab/cache_report.cc - adds up what workers counted and looks at what classes hold.
#include <algorithm>
#include <bit>

#include "slab/cache.h"
#include "slab/cache_impl.h"

namespace larder::slab {

namespace {

void AddCounters(ClassStats& sum, const WorkerClassCounters& counters) {
#define COUNTER(name) sum.name += counters.name.Get();
#include "slab/class_counters.def"
#undef COUNTER
}

void AddCounters(ClassStats& sum, const ClassStats& one) {
#define COUNTER(name) sum.name += one.name;
#include "slab/class_counters.def"
#undef COUNTER
  sum.page_count += one.page_count;
  sum.chunk_count += one.chunk_count;
  sum.item_count += one.item_count;
  sum.probation_count += one.probation_count;
  sum.protected_count += one.protected_count;
  sum.requested_bytes += one.requested_bytes;
}

// A baseline taken while these figures were read may be ahead of them: never below zero.
void SubtractCounters(ClassStats& stats, const ClassStats& baseline) {
#define COUNTER(name) stats.name -= std::min(stats.name, baseline.name);
#include "slab/class_counters.def"
#undef COUNTER
}

void SubtractCounters(CacheStats& stats, const CacheStats& baseline) {
#define COUNTER(name) stats.name -= std::min(stats.name, baseline.name);
#include "slab/cache_counters.def"
#undef COUNTER
}

void DescribeLists(ClassStats& stats, const SlabClass& slab_class, uint32_t now_ds) {
  const MutexLock lock(slab_class.mutex);
  const Lru& lru = slab_class.LruLocked();
  stats.page_count = slab_class.PageCountLocked();
  stats.chunk_count = stats.page_count * slab_class.ChunksPerPage();
  stats.protected_count = std::min(stats.protected_count, stats.item_count);
  stats.probation_count = stats.item_count - stats.protected_count;
  stats.probation_age_s = Lru::AgeOf(lru.OldestOnProbation(), now_ds);
  stats.protected_age_s = Lru::AgeOf(lru.NextProtected(), now_ds);
  stats.age_s = std::max(stats.probation_age_s, stats.protected_age_s);
  stats.evicted_time_s = slab_class.EvictedAgeSeconds();
}

// Pages of heads are counted as used to the last frame.
void TellOfFrames(ClassStats& stats, const ExtentArea& extents) {
  const uint64_t frame_bytes = extents.ChargeFor(1);
  const uint64_t frames_per_page = kPageBytes / frame_bytes;
  const uint64_t used = stats.page_count * frames_per_page + extents.UsedBytes() / frame_bytes;
  const uint64_t all = used + extents.IdleBytes() / frame_bytes;
  stats.chunk_bytes = static_cast<uint32_t>(frame_bytes);
  stats.chunks_per_page = static_cast<uint32_t>(frames_per_page);
  stats.page_count = (all + frames_per_page - 1) / frames_per_page;
  stats.chunk_count = stats.page_count * frames_per_page;
  stats.used_chunk_count = used;
}

ClassStats DescribeClass(const SlabSet& slabs, const SlabClass& slab_class) {
  ClassStats stats;
  stats.class_id = slab_class.Id();
  stats.chunk_bytes = slab_class.ChunkBytes();
  stats.chunks_per_page = slab_class.ChunksPerPage();
  uint64_t removed = 0;
  uint64_t removed_bytes = 0;
  uint64_t protected_removed = 0;
  slabs.workers.ForEach([&](const Worker& worker) {
    const WorkerClassCounters& counters = worker.counters.classes[slab_class.Id()];
    AddCounters(stats, counters);
    stats.item_count += counters.items_added.Get();
    stats.requested_bytes += counters.bytes_added.Get();
    // Promoted, or protected from the start.
    stats.protected_count += counters.moves_to_warm.Get() + counters.protected_added.Get();
    protected_removed += counters.protected_removed.Get();
    removed += counters.items_removed.Get();
    removed_bytes += counters.bytes_removed.Get();
  });
  // Workers go on counting while they are read: never below zero.
  stats.item_count -= std::min(removed, stats.item_count);
  stats.requested_bytes -= std::min(removed_bytes, stats.requested_bytes);
  stats.protected_count -= std::min(protected_removed, stats.protected_count);
  DescribeLists(stats, slab_class, slabs.clock.NowTenths());
  stats.used_chunk_count = std::min(stats.item_count, stats.chunk_count);
  return stats;
}

CacheStats Describe(const CacheImpl& cache) {
  const SlabSet& slabs = cache.slabs;
  CacheStats stats;
  for (const SlabClass& slab_class : slabs.classes) {
    stats.classes.push_back(DescribeClass(slabs, slab_class));
    const uint64_t page_count = stats.classes.back().page_count;
    stats.queue_bytes += page_count * Lru::QueueBytesPerPage(slab_class.ChunksPerPage());
  }
  slabs.workers.ForEach([&](const Worker& worker) {
#define COUNTER(name) stats.name += worker.counters.name.Get();
#include "slab/cache_counters.def"
#undef COUNTER
  });
  stats.limit_bytes = slabs.budget.LimitBytes();
  stats.used_bytes = slabs.budget.UsedBytes();
  stats.page_pool_count = slabs.pool.FreeCount();
  stats.page_bytes = slabs.pool.LentCount() * kPageBytes;
  stats.extent_bytes = slabs.extents.UsedBytes();
  stats.extent_idle_bytes = slabs.extents.IdleBytes();
  stats.extent_record_bytes = slabs.extents.RecordBytes();
  stats.room_waiting_count = cache.room.Length();
  stats.room_wait_count = cache.room.WaitCount();
  stats.index_bytes = slabs.index.Bytes();
  stats.ghost_bytes = slabs.ghost.Bytes();
  for (const ClassStats& one : stats.classes) {
    stats.hint_bytes += one.page_count * ExpiryHints::kBytesPerPage;
  }
  // Not before what is counted by pages of chunks.
  TellOfFrames(stats.classes.back(), slabs.extents);
  stats.index_power = static_cast<uint32_t>(std::bit_width(slabs.index.BucketCount()) - 1);
  stats.index_wants_memory = slabs.index.WantsMemory();
  stats.pages_moved = cache.release.MovedCount();
  for (const Sweeper& sweeper : cache.sweepers) {
    stats.sweeper_freed += sweeper.FreedCount();
    stats.sweeper_visited += sweeper.VisitedCount();
    stats.sweeper_us += sweeper.StepMicroseconds();
  }
  stats.grace_wait_count = cache.allocator.WaitCount();
  stats.flushed_before_s = slabs.flush.LastSecond();
  return stats;
}

}  // namespace

CacheStats Cache::Stats() const {
  CacheStats stats = Describe(*impl_);
  {
    const MutexLock lock(impl_->baseline_mutex);
    SubtractCounters(stats, impl_->baseline);
    for (size_t i = 0; i < impl_->baseline.classes.size(); ++i) {
      SubtractCounters(stats.classes[i], impl_->baseline.classes[i]);
    }
  }
  for (const ClassStats& one : stats.classes) AddCounters(stats.sum, one);
  stats.item_bytes = stats.sum.requested_bytes;
  return stats;
}

void Cache::ResetStats() {
  // Counters belong to their workers and only go up; what they show now becomes the new zero.
  CacheStats baseline = Describe(*impl_);
  const MutexLock lock(impl_->baseline_mutex);
  impl_->baseline = std::move(baseline);
}

}  // namespace larder::slab
