#include "slab/sweeper.h"

#include <algorithm>

#include "slab/race_window.h"

namespace larder::slab {

namespace {

// The chunks that begin in a region, by their number in the page.
struct ChunkRange {
  uint32_t begin;
  uint32_t end;
};

ChunkRange ChunksOf(RegionId region, uint32_t chunk_bytes, uint32_t chunks_per_page) {
  const uint32_t offset = region % ExpiryHints::kRegionsPerPage * ExpiryHints::kRegionBytes;
  const auto first_from = [&](uint32_t place) {
    return std::min((place + chunk_bytes - 1) / chunk_bytes, chunks_per_page);
  };
  return {first_from(offset), first_from(offset + ExpiryHints::kRegionBytes)};
}

}  // namespace

void Sweeper::Step(Worker& worker) {
  const SteadyClock::time_point begin = SteadyClock::now();
  const uint32_t region_count = slabs_.pool.TouchedCount() * ExpiryHints::kRegionsPerPage;
  uint32_t looks_left = std::min(region_count, std::max(kLooksMin, region_count / kStepsPerRound));
  SteadyClock::time_point now = begin;
  do {
    if (list_.empty()) {
      StartFlushPassIfDue(region_count);
      ListForFlush();
      if (list_.empty()) ListDue(region_count, looks_left);
      if (list_.empty()) break;
      list_stamp_ = slabs_.epochs.Seal();
      RaceWindow(Window::kRegionsClearedNotVisited);
    }
    if (!GraceIsOver(worker)) break;
    while (!list_.empty() && now - begin < StepMax()) {
      const RegionId region = list_.back();
      list_.pop_back();
      if (!list_.empty()) Prefetch(list_.back());
      Visit(worker, region);
      supply_.PassQuiescent(worker);
      now = SteadyClock::now();
    }
  } while (now - begin < StepMax());
  const auto taken = SteadyClock::now() - begin;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(taken).count();
  step_us_.fetch_add(static_cast<uint64_t>(us), std::memory_order_relaxed);
}

Sweeper::SteadyClock::duration Sweeper::StepMax() const {
  return list_earliest_s_ + kLateS <= slabs_.clock.NowSeconds() ? kBusyStep : kQuietStep;
}

// --- which regions -------------------------------------------------------------------------------

// A flush during a pass has another follow it. Pages that are touched first after this hold nothing
// of an older generation, but for stores that are under way; those are in time for the next flush.
void Sweeper::StartFlushPassIfDue(uint32_t region_count) {
  const uint16_t generation = slabs_.flush.Generation();
  if (generation == flushed_generation_ || next_flushed_ < flush_end_) return;
  flushed_generation_ = generation;
  next_flushed_ = 0;
  flush_end_ = region_count;
}

void Sweeper::ListForFlush() {
  while (next_flushed_ < flush_end_ && list_.size() < kListMax) {
    slabs_.hints.Clear(next_flushed_);
    list_.push_back(next_flushed_++);
  }
  list_earliest_s_ = 0;  // as late as can be
}

void Sweeper::ListDue(uint32_t region_count, uint32_t& looks_left) {
  const uint32_t now_s = slabs_.clock.NowSeconds();
  list_earliest_s_ = now_s;
  for (; looks_left > 0 && list_.size() < kListMax; --looks_left) {
    if (next_look_ >= region_count) next_look_ = 0;
    const RegionId region = next_look_++;
    const uint32_t earliest_s = slabs_.hints.At(region);
    if (earliest_s == 0 || earliest_s + kLagS > now_s) continue;
    list_earliest_s_ = std::min(list_earliest_s_, slabs_.hints.Clear(region));
    list_.push_back(region);
  }
}

// --- visits --------------------------------------------------------------------------------------

// Where all workers wait for events, two looks are enough; else the next step asks again.
bool Sweeper::GraceIsOver(Worker& worker) {
  for (int look = 0; look < 2 && !slabs_.epochs.IsOver(list_stamp_); ++look) {
    supply_.PassQuiescent(worker);
    slabs_.epochs.TryAdvance();
  }
  return slabs_.epochs.IsOver(list_stamp_);
}

// The next region's headers are on their way while this one's are looked at: it is the latency of
// main memory that a visit costs.
void Sweeper::Prefetch(RegionId region) const {
  const PageId page = region / ExpiryHints::kRegionsPerPage;
  // Relaxed: whatever the page has become by then, this reads nothing of it.
  const uint32_t class_id = slabs_.arena.Info(page).class_id.load(std::memory_order_relaxed);
  if (class_id == 0) return;
  const SlabClass& slab_class = slabs_.Class(class_id);
  const ChunkRange range = ChunksOf(region, slab_class.ChunkBytes(), slab_class.ChunksPerPage());
  const char* const page_begin = slabs_.arena.PageBegin(page);
  for (uint32_t i = range.begin; i < range.end; ++i) {
    __builtin_prefetch(page_begin + size_t{i} * slab_class.ChunkBytes());
  }
}

void Sweeper::Visit(Worker& worker, RegionId region) {
  const PageId page = region / ExpiryHints::kRegionsPerPage;
  // Acquire: pairs with AddPageLocked's release; the page's chunks are formatted for that class.
  const uint32_t class_id = slabs_.arena.Info(page).class_id.load(std::memory_order_acquire);
  if (class_id == 0) return;
  const SlabClass& slab_class = slabs_.Class(class_id);
  const uint32_t chunk_bytes = slab_class.ChunkBytes();
  const ChunkRange range = ChunksOf(region, chunk_bytes, slab_class.ChunksPerPage());
  char* const page_begin = slabs_.arena.PageBegin(page);
  const uint32_t now_s = slabs_.clock.NowSeconds();
  uint32_t earliest_s = 0;
  uint32_t checked = 0;
  dead_.clear();
  for (uint32_t i = range.begin; i < range.end; ++i) {
    char* const place = page_begin + size_t{i} * chunk_bytes;
    auto* const item = reinterpret_cast<Item*>(place);
    if (!item->IsIndexed()) continue;
    ++checked;
    const uint32_t expires_s = item->expires_s.load(std::memory_order_relaxed);
    if (IsExpired(expires_s, now_s) || slabs_.IsFlushed(*item)) {
      dead_.push_back({item, 0});
    } else if (expires_s != kNeverExpires && (earliest_s == 0 || expires_s < earliest_s)) {
      earliest_s = expires_s;
    }
  }
  if (earliest_s != 0) slabs_.hints.Note(region, earliest_s);
  worker.CountersOf(class_id).crawler_items_checked.Add(checked);
  visited_.fetch_add(1, std::memory_order_relaxed);
  FreeDead(worker, class_id);
}

// The buckets are in as many places of the memory as there are items: they are fetched all at once.
void Sweeper::FreeDead(Worker& worker, uint32_t class_id) {
  for (Dead& dead : dead_) {
    dead.hash = slabs_.index.Hash(dead.item->Key());
    slabs_.index.PrefetchBucket(dead.hash);
  }
  uint64_t freed = 0;
  WorkerClassCounters& counters = worker.CountersOf(class_id);
  for (const Dead& dead : dead_) {
    const bool was_fetched = dead.item->Access().Fetched();
    if (!FreeIfDead(worker, dead.hash, dead.item)) continue;
    ++freed;
    if (!was_fetched) counters.expired_unfetched.Add();
  }
  counters.crawler_reclaimed.Add(freed);
  freed_.fetch_add(freed, std::memory_order_relaxed);
}

bool Sweeper::FreeIfDead(Worker& worker, uint64_t hash, Item* item) {
  uint8_t state = 0;
  {
    const MutexLock lock(slabs_.index.StripeOf(hash));
    const HashIndex::Slot slot = slabs_.index.FindLocked(hash, item);
    if (!slot || !slabs_.IsDead(*item)) return false;
    state = slabs_.index.EraseLocked(hash, slot);
  }
  supply_.Removed(worker, item, state);
  return true;
}

}  // namespace larder::slab
