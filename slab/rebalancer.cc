#include "slab/rebalancer.h"

#include <algorithm>
#include <utility>

namespace larder::slab {

uint64_t Rebalancer::EvictedCount(uint32_t class_id) const {
  uint64_t count = 0;
  slabs_.workers.ForEach(
      [&](const Worker& worker) { count += worker.counters.classes[class_id].evicted.Get(); });
  return count;
}

std::vector<ClassFigures> Rebalancer::Look() {
  std::vector<ClassFigures> classes;
  const uint32_t now_s = slabs_.clock.NowSeconds();
  for (const SlabClass& slab_class : slabs_.classes) {
    const uint64_t evicted = EvictedCount(slab_class.Id());
    const uint64_t before = std::exchange(evicted_before_[slab_class.Id()], evicted);
    const MutexLock lock(slab_class.mutex);
    const Lru& lru = slab_class.LruLocked();
    classes.push_back({.class_id = slab_class.Id(),
                       .page_count = slab_class.PageCountLocked(),
                       .free_chunk_count = slab_class.FreeCountLocked(),
                       .chunks_per_page = slab_class.ChunksPerPage(),
                       .evicted_count = evicted - before,
                       .tail_age_s = std::max(Lru::AgeOf(lru.OldestOnProbation(), now_s),
                                              Lru::AgeOf(lru.NextProtected(), now_s)),
                       .evicted_age_s = slab_class.EvictedAgeSeconds()});
  }
  return classes;
}

void Rebalancer::Step(Worker& worker) {
  if (!slabs_.config.evict) return;
  const std::vector<ClassFigures> classes = Look();
  const std::optional<PageMove> move = PickMove(classes);
  if (!move) return;
  const uint64_t spare_pages = classes[move->donor - 1].page_count - 1;  // it keeps its last
  for (uint64_t i = 0; i < std::min<uint64_t>(kMovesPerStep, spare_pages); ++i) {
    if (!release_.MovePage(worker, move->donor, move->receiver)) break;
  }
  // What a moved page cost its donor is no sign of demand.
  evicted_before_[move->donor] = EvictedCount(move->donor);
}

}  // namespace larder::slab
