#include "slab/rebalancer.h"

#include <algorithm>

#include "slab/class_figures.h"

namespace larder::slab {

Demand::Totals Rebalancer::TotalsOf(uint32_t class_id) const {
  Demand::Totals totals;
  slabs_.workers.ForEach([&](const Worker& worker) {
    const WorkerClassCounters& counters = worker.counters.classes[class_id];
    totals.evicted_count += counters.evicted.Get();
    totals.evicted_age_ds += counters.evicted_age_ds.Get();
    totals.hit_count += counters.get_hits.Get() + counters.touch_hits.Get();
  });
  return totals;
}

std::vector<ClassFigures> Rebalancer::Look() {
  std::vector<ClassFigures> classes;
  const uint32_t now_ds = slabs_.clock.NowTenths();
  for (const SlabClass& slab_class : slabs_.classes) {
    Demand& demand = demands_[slab_class.Id()];
    demand.Look(TotalsOf(slab_class.Id()));
    const MutexLock lock(slab_class.mutex);
    ClassFigures figures = FiguresOfLocked(slabs_, slab_class);
    figures.evicted_count = demand.EvictedCount();
    figures.evicted_age_s = demand.MeanAgeSeconds();
    figures.hit_count = demand.HitCount();
    figures.tail_age_s = slab_class.LruLocked().TailAge(now_ds);
    classes.push_back(figures);
  }
  return classes;
}

void Rebalancer::Step(Worker& worker) {
  if (!slabs_.config.evict) return;
  const auto end = std::chrono::steady_clock::now() + kStep;
  std::vector<ClassFigures> classes = Look();
  for (uint32_t i = 0; i < kMovesPerStep && std::chrono::steady_clock::now() < end; ++i) {
    const std::optional<PageMove> move = PickMove(classes);
    if (!move || !release_.MovePage(worker, move->donor, move->receiver)) return;
    const auto donor_pages = classes[move->donor - 1].page_count;
    const auto receiver_pages = classes[move->receiver - 1].page_count;
    demands_[move->donor].NotePages(donor_pages, donor_pages - 1);
    demands_[move->receiver].NotePages(receiver_pages, receiver_pages + 1);
    NoteMove(classes, *move);
  }
}

}  // namespace larder::slab
