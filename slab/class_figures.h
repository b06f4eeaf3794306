// slab/class_figures.h - what a slab class has, in the terms of the policy (rebalance_policy.h).
//
// Large items  Their class's pages are heads, which say nothing of the memory they stand for. So
//              the extents count as its pages, those that are idle as its free chunks, and a page
//              holds as many of its items as are in a page's worth of extents. Whole pages are
//              counted, so that who gives one of two away has as much left; but less than one is
//              some.
// Threads      under the class's mutex.
#pragma once

#include "slab/locks.h"
#include "slab/rebalance_policy.h"
#include "slab/slab_set.h"

namespace larder::slab {

// Who it is and what it has; evictions and ages are the caller's to fill in.
[[nodiscard]] ClassFigures FiguresOfLocked(const SlabSet& slabs, const SlabClass& slab_class)
    REQUIRES_LOCK(slab_class.mutex);

}  // namespace larder::slab
