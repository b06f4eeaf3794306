// slab/rebalancer.h - lets pages follow demand: looks at what each class evicted since the last
// look, asks the policy, and moves at most kMovesPerStep pages.
//
// Threads  Step: the maintainer.
// Not here who gives to whom: rebalance_policy.h. How: page_release.h.
#pragma once

#include <array>
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
  // A page of small items takes about a millisecond to empty, off the workers' path.
  static constexpr uint32_t kMovesPerStep = 2;

  [[nodiscard]] std::vector<ClassFigures> Look();
  [[nodiscard]] uint64_t EvictedCount(uint32_t class_id) const;

  SlabSet& slabs_;
  PageRelease& release_;
  std::array<uint64_t, SizeClasses::kClassCountMax + 1> evicted_before_{};
};

}  // namespace larder::slab
