// slab/allocator.h - a chunk for a new item, come what may: the promise that a store never fails
// while anything can be evicted.
//
//   1. from the worker's stock, the class's free list, what idle workers left, or the page pool
//      (chunk_supply.h)
//   2. the class is full: victims were just evicted; wait for readers to pass, a few microseconds
//   3. nothing there, because others took it: evict one item and keep its chunk
//   4. no victim: everybody gives back what they hold (Gather)
//   5. still nothing: a page from another class (page_release.h), then again from 3
//
// Steps 2 to 5 are rare: a reserve is kept, and classes keep their pages. The worker passes
// quiescent states in them, so what the cache has lent it is gone.
//
// Threads  `worker`: the calling thread has its turn.
// Errors   null when all memory is in use this moment: reserved for values under way, lent to
//          sockets, or, with evictions off, holding items. Also when a worker has not been
//          quiescent for a second and holds up everybody.
#pragma once

#include <atomic>
#include <cstdint>

#include "slab/chunk_supply.h"
#include "slab/page_release.h"

namespace larder::slab {

class Allocator {
 public:
  Allocator(ChunkSupply& supply, PageRelease& release) : supply_(supply), release_(release) {}

  [[nodiscard]] Item* Allocate(Worker& worker, SlabClass& slab_class) {
    Item* const item = supply_.Take(worker, slab_class);
    return item != nullptr ? item : AllocateSlowly(worker, slab_class);
  }

  // How often step 2 was needed.
  [[nodiscard]] uint64_t WaitCount() const { return wait_count_.load(std::memory_order_relaxed); }

 private:
  // Looks at the limbo before everybody is asked: on two cores a reader that was preempted comes
  // back within a few of these.
  static constexpr uint32_t kLooksMax = 64;
  // Others may take what was freed for us; each attempt frees more.
  static constexpr uint32_t kAttemptsMax = 16;
  // Attempts that found nothing to free at all. One could be the moment in which another worker
  // had a page in hand.
  static constexpr uint32_t kFruitlessMax = 2;

  [[nodiscard]] Item* AllocateSlowly(Worker& worker, SlabClass& slab_class);
  // A chunk that is free, or that a page of the pool has.
  [[nodiscard]] Item* TakeWhatIsThere(Worker& worker, SlabClass& slab_class);
  [[nodiscard]] Item* WaitForReaders(Worker& worker, SlabClass& slab_class);

  ChunkSupply& supply_;
  PageRelease& release_;
  std::atomic<uint64_t> wait_count_{0};
};

}  // namespace larder::slab
