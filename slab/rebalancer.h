// slab/rebalancer.h - lets pages follow demand: looks at what each class evicted and served lately,
// asks the policy, and moves pages until the policy is content or the step's time is over.
//
// Ten looks a second and kStep each are a fifth of one core's time while sizes shift, some thirty
// to a hundred pages a second; where nothing shifts a look costs microseconds and moves nothing.
//
// Threads  Step: the maintainer.
// Not here who gives to whom: rebalance_policy.h. How: page_release.h.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "slab/page_release.h"
#include "slab/rebalance_policy.h"

namespace larder::slab {

class Rebalancer {
 public:
  Rebalancer(SlabSet& slabs, PageRelease& release) : slabs_(slabs), release_(release) {}

  void Step(Worker& worker);

 private:
  // The clock waits for the maintainer, so it is time that bounds a step.
  static constexpr std::chrono::milliseconds kStep{20};
  // Between two looks figures are extrapolated; not too far.
  static constexpr uint32_t kMovesPerStep = 64;

  [[nodiscard]] std::vector<ClassFigures> Look();
  [[nodiscard]] Demand::Totals TotalsOf(uint32_t class_id) const;

  SlabSet& slabs_;
  PageRelease& release_;
  std::array<Demand, SizeClasses::kClassCountMax + 1> demands_{};
};

}  // namespace larder::slab
