#include "slab/allocator.h"

#include <sched.h>

namespace larder::slab {

Item* Allocator::WaitForReaders(Worker& worker, SlabClass& slab_class) {
  wait_count_.fetch_add(1, std::memory_order_relaxed);
  for (uint32_t look = 0; look < kLooksMax; ++look) {
    // Two steps of the epoch end a grace period; alone, this worker makes both at once.
    for (int step = 0; step < 2; ++step) {
      supply_.PassQuiescent(worker);
      supply_.Collect(worker);
    }
    if (Item* item = supply_.TakeFree(worker, slab_class)) return item;
    if (worker.limbo.Empty()) return nullptr;
    sched_yield();
  }
  return nullptr;
}

Item* Allocator::TakeWhatIsThere(Worker& worker, SlabClass& slab_class) {
  if (Item* item = supply_.TakeFree(worker, slab_class)) return item;
  return supply_.AddPageFromPool(slab_class) ? supply_.TakeFree(worker, slab_class) : nullptr;
}

Item* Allocator::AllocateSlowly(Worker& worker, SlabClass& slab_class) {
  if (Item* item = WaitForReaders(worker, slab_class)) return item;
  uint32_t fruitless = 0;
  for (uint32_t attempt = 0; attempt < kAttemptsMax && fruitless < kFruitlessMax; ++attempt) {
    if (Item* item = supply_.EvictAndKeep(worker, slab_class)) return item;
    const bool everybody_answered = supply_.Gather(worker);
    if (Item* item = TakeWhatIsThere(worker, slab_class)) return item;
    const bool moved = everybody_answered &&
                       release_.MovePageTo(worker, slab_class.Id(), PageRelease::Haste::kInLine);
    // Whoever was ahead of us at the release may have brought the class a page.
    if (Item* item = TakeWhatIsThere(worker, slab_class)) return item;
    if (!moved) ++fruitless;
  }
  return nullptr;
}

}  // namespace larder::slab
