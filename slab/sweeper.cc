#include "slab/sweeper.h"

#include <algorithm>

#include "slab/race_window.h"

namespace larder::slab {

namespace {

// Most keys begin before this byte of a chunk, and end behind it or shortly before.
constexpr size_t kKeyReach = 48;

constexpr uint32_t kWordsPerPage = ExpiryHints::kRegionsPerPage / ExpiryHints::kRegionsPerWord;

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

bool Sweeper::Step() {
  const SteadyClock::time_point begin = SteadyClock::now();
  const uint32_t page_count = slabs_.pool.TouchedCount();
  const uint32_t region_count = page_count * ExpiryHints::kRegionsPerPage;
  const uint32_t word_count = OwnPages(page_count) * kWordsPerPage;
  uint32_t looks_left = std::min(word_count, std::max(kLooksMin, word_count / kStepsPerRound));
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
    if (!GraceIsOver()) break;
    while (!list_.empty() && now - begin < kStepMax) {
      VisitSome();
      supply_.PassQuiescent(worker_);
      now = SteadyClock::now();
    }
  } while (now - begin < kStepMax);
  const auto taken = SteadyClock::now() - begin;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(taken).count();
  step_us_.fetch_add(static_cast<uint64_t>(us), std::memory_order_relaxed);
  return !list_.empty();
}

// --- which regions -------------------------------------------------------------------------------

uint32_t Sweeper::OwnPages(uint32_t page_count) const {
  const uint32_t whole_groups = page_count / kPagesTogether;
  const uint32_t own_groups = (whole_groups + part_.count - 1 - part_.number) / part_.count;
  const bool has_last = whole_groups % part_.count == part_.number;
  return own_groups * kPagesTogether + (has_last ? page_count % kPagesTogether : 0);
}

RegionId Sweeper::Behind(RegionId region, uint32_t count) const {
  region += count;
  if (region % kRegionsTogether != 0) return region;
  return region + (part_.count - 1) * kRegionsTogether;
}

// A flush during a pass has another follow it. Pages that are touched first after this hold nothing
// of an older generation, but for stores that are under way; those are in time for the next flush.
void Sweeper::StartFlushPassIfDue(uint32_t region_count) {
  const uint16_t generation = slabs_.flush.Generation();
  if (generation == flushed_generation_ || next_flushed_ < flush_end_) return;
  flushed_generation_ = generation;
  next_flushed_ = FirstRegion();
  flush_end_ = region_count;
}

void Sweeper::ListForFlush() {
  while (next_flushed_ < flush_end_ && list_.size() < kListMax) {
    slabs_.hints.Clear(next_flushed_);
    list_.push_back(next_flushed_);
    next_flushed_ = Behind(next_flushed_, 1);
  }
}

void Sweeper::ListDue(uint32_t region_count, uint32_t& looks_left) {
  const uint32_t lag_s = slabs_.pool.FreeCount() > 0 ? kLagWithRoomS : 0;
  const uint32_t due_s = slabs_.clock.NowSeconds() - lag_s;
  while (looks_left > 0 && list_.size() < kListMax) {
    if (next_look_ >= region_count) next_look_ = FirstRegion();
    slabs_.hints.TakeDue(next_look_, due_s, [this](RegionId region) { list_.push_back(region); });
    next_look_ = Behind(next_look_, ExpiryHints::kRegionsPerWord);
    --looks_left;
  }
}

// --- visits --------------------------------------------------------------------------------------

// Where all workers wait for events, two looks are enough; else the next step asks again.
bool Sweeper::GraceIsOver() {
  for (int look = 0; look < 2 && !slabs_.epochs.IsOver(list_stamp_); ++look) {
    supply_.PassQuiescent(worker_);
    slabs_.epochs.TryAdvance();
  }
  return slabs_.epochs.IsOver(list_stamp_);
}

// The next region's headers are on their way while one's are looked at.
void Sweeper::VisitSome() {
  dead_.clear();
  for (size_t i = 0; i < kRegionsBatch && !list_.empty() && dead_.size() < kDeadBatch; ++i) {
    const RegionId region = list_.back();
    list_.pop_back();
    if (!list_.empty()) Prefetch(list_.back());
    Visit(region);
  }
  FreeDead();
}

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

void Sweeper::Visit(RegionId region) {
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
  for (uint32_t i = range.begin; i < range.end; ++i) {
    char* const place = page_begin + size_t{i} * chunk_bytes;
    auto* const item = reinterpret_cast<Item*>(place);
    if (!item->IsIndexed()) continue;
    ++checked;
    const uint32_t expires_s = item->expires_s.load(std::memory_order_relaxed);
    if (IsExpired(expires_s, now_s) || slabs_.IsFlushed(*item)) {
      dead_.push_back({item, 0});
      __builtin_prefetch(place + kKeyReach);
    } else if (expires_s != kNeverExpires && (earliest_s == 0 || expires_s < earliest_s)) {
      earliest_s = expires_s;
    }
  }
  if (earliest_s != 0) slabs_.hints.Note(region, earliest_s, now_s);
  worker_.CountersOf(class_id).crawler_items_checked.Add(checked);
  visited_.fetch_add(1, std::memory_order_relaxed);
}

// Keys and buckets are in as many places of the memory as there are items: each stage is begun for
// all of them before the next waits for it.
void Sweeper::FreeDead() {
  for (Dead& dead : dead_) {
    dead.hash = slabs_.index.Hash(dead.item->Key());
    slabs_.index.PrefetchBucket(dead.hash);
  }
  if (!dead_.empty()) RaceWindow(Window::kVictimsStillIndexed);
  uint64_t freed = 0;
  for (const Dead& dead : dead_) {
    freed += supply_.ReclaimIfDead(worker_, dead.hash, dead.item) ? 1 : 0;
  }
  freed_.fetch_add(freed, std::memory_order_relaxed);
}

}  // namespace larder::slab
