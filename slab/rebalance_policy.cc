#include "slab/rebalance_policy.h"

namespace larder::slab {

namespace {

bool IsBetterDonor(const ClassFigures& candidate, const ClassFigures& best) {
  const bool has_spare_page = candidate.free_chunk_count >= candidate.chunks_per_page;
  const bool best_has_spare_page = best.free_chunk_count >= best.chunks_per_page;
  if (has_spare_page != best_has_spare_page) return has_spare_page;
  return candidate.page_count > best.page_count;
}

}  // namespace

uint32_t PickDonor(std::span<const ClassFigures> classes, uint32_t receiver) {
  const ClassFigures* best = nullptr;
  for (const ClassFigures& candidate : classes) {
    if (candidate.page_count == 0 || candidate.class_id == receiver) continue;
    if (best == nullptr || IsBetterDonor(candidate, *best)) best = &candidate;
  }
  return best == nullptr ? 0 : best->class_id;
}

namespace {

double EvictedPages(const ClassFigures& figures) {
  return static_cast<double>(figures.evicted_count) / figures.chunks_per_page;
}

bool IsShort(const ClassFigures& figures) {
  return figures.evicted_count >= kEvictedItemsMin || EvictedPages(figures) >= kEvictedPagesMin;
}

const ClassFigures* NeediestClass(std::span<const ClassFigures> classes) {
  const ClassFigures* neediest = nullptr;
  for (const ClassFigures& candidate : classes) {
    if (!IsShort(candidate)) continue;
    if (neediest == nullptr || EvictedPages(candidate) > EvictedPages(*neediest)) {
      neediest = &candidate;
    }
  }
  return neediest;
}

const ClassFigures* IdlestClass(std::span<const ClassFigures> classes) {
  const ClassFigures* idlest = nullptr;
  for (const ClassFigures& candidate : classes) {
    if (candidate.page_count < 2 || candidate.evicted_count > 0) continue;
    if (idlest == nullptr || candidate.tail_age_s > idlest->tail_age_s) idlest = &candidate;
  }
  return idlest;
}

}  // namespace

std::optional<PageMove> PickMove(std::span<const ClassFigures> classes) {
  const ClassFigures* const receiver = NeediestClass(classes);
  const ClassFigures* const donor = IdlestClass(classes);
  if (receiver == nullptr || donor == nullptr) return std::nullopt;
  if (donor->tail_age_s < kAgeRatio * receiver->evicted_age_s + kAgeMarginS) return std::nullopt;
  return PageMove{donor->class_id, receiver->class_id};
}

}  // namespace larder::slab
