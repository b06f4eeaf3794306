#include "tests/slab/shared_writes/line_names.h"

#include <array>

#include "slab/cache_impl.h"

namespace larder::slab {

std::string_view NameOf(LineKind kind) {
  static constexpr std::array<std::string_view, kSharedKindCount + 1> kNames = {
      "stripe", "bucket", "item",   "ghost", "cas",   "class", "page",
      "hint",   "epoch",  "growth", "turn",  "other", "own"};
  return kNames[static_cast<size_t>(kind)];
}

LineNames::LineNames(Cache& cache, const std::vector<Worker*>& workers) {
  CacheImpl& impl = *cache.impl_;
  SlabSet& slabs = impl.slabs;
  const PageArena& arena = slabs.arena;
  // Parts before what they are in.
  for (const Worker* worker : workers) {
    Add(&worker->participant, sizeof(worker->participant), LineKind::kAnnouncement);
    Add(worker, sizeof(*worker), LineKind::kOwn);
  }
  Add(slabs.index.stripes_.get(), sizeof(HashIndex::Stripe) * HashIndex::kStripeCount,
      LineKind::kStripe);
  Add(slabs.index.bucket_memory_.Begin(), slabs.index.bucket_memory_.Bytes(), LineKind::kBucket);
  Add(slabs.index.overflow_memory_.Begin(), slabs.index.overflow_memory_.Bytes(),
      LineKind::kBucket);
  Add(arena.PageBegin(0), arena.Bytes(), LineKind::kItem);
  Add(slabs.ghost.memory_.Begin(), slabs.ghost.memory_.Bytes(), LineKind::kGhost);
  Add(slabs.hints.memory_.Begin(), slabs.hints.memory_.Bytes(), LineKind::kHint);
  Add(&arena.Info(0), arena.PageCount() * sizeof(PageInfo), LineKind::kPage);
  Add(&arena.FreeCount(0), arena.PageCount() * sizeof(uint32_t), LineKind::kPage);
  for (const SlabClass& slab_class : slabs.classes) {
    Add(&slab_class, sizeof(slab_class), LineKind::kClass);
  }
  Add(&slabs.index, sizeof(slabs.index), LineKind::kGrowth);
  Add(&slabs.epochs, sizeof(slabs.epochs), LineKind::kEpoch);
  Add(&impl.last_cas, sizeof(impl.last_cas), LineKind::kCas);
}

void LineNames::Add(const void* begin, uint64_t bytes, LineKind kind) {
  ranges_.push_back({LineOf(begin), LineOf(static_cast<const char*>(begin) + bytes - 1), kind});
}

LineKind LineNames::KindOf(Line line) const {
  for (const Range& range : ranges_) {
    if (line >= range.begin && line <= range.end) return range.kind;
  }
  return LineKind::kElsewhere;
}

}  // namespace larder::slab
