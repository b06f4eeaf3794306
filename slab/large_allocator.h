// slab/large_allocator.h - an extent and a head for a large item, come what may.
//
//   1. the head, as any chunk (allocator.h), from the class of heads
//   2. the extent: idle memory of about that size, or what is free of the budget
//   3. nothing there: one thread at a time makes room. What is freed goes to its purse, so that it
//      is not taken by others before it is enough:
//        idle memory of other sizes  released to the system and charged anew
//        large items evicted         their own class first, as with small ones
//        pages of small items        when no large item is left; before that for a value of more
//                                    than a megabyte, if they hold what is older
//   4. the cache is full: as much as was taken is evicted ahead, while too little is idle, so that
//      the next store finds it without waiting for readers to pass
//
// Of a value that lacks more than a megabyte the room is made by many steps, between which others
// have their turn: see room_queue.h.
//
// Which class gets memory from which is then the rebalancer's: large items evict each other first.
// The worker passes quiescent states in steps 1 and 3.
//
// Threads  `worker`: the calling thread has its turn. Whoever waits for another's room passes
//          quiescent states meanwhile, which that one may wait for.
// Errors   null when all memory is in use this moment, see allocator.h
#pragma once

#include <cstdint>

#include "slab/allocator.h"
#include "slab/chunk_supply.h"
#include "slab/page_release.h"

namespace larder::slab {

class LargeAllocator {
 public:
  LargeAllocator(SlabSet& slabs, ChunkSupply& supply, PageRelease& release, Allocator& allocator)
      : slabs_(slabs), supply_(supply), release_(release), allocator_(allocator) {}

  // A chunk for the head; `*extent` has room for `value_bytes`.
  [[nodiscard]] Item* Allocate(Worker& worker, uint32_t value_bytes, ExtentId* extent);
  // The chunk alone.
  [[nodiscard]] Item* AllocateHead(Worker& worker);
  // One step towards an extent of `bytes`: a page's worth is freed, for the purse. False: there was
  // nothing to free.
  [[nodiscard]] bool Step(Worker& worker, uint64_t bytes, Purse& purse, ExtentId* extent);

 private:
  // Few are needed for a page's worth but where others take it first.
  static constexpr uint32_t kAttemptsMax = 64;
  // Attempts in which nothing could be freed at all.
  static constexpr uint32_t kFruitlessMax = 2;

  [[nodiscard]] ExtentId MakeRoom(Worker& worker, uint64_t bytes);
  [[nodiscard]] ExtentId MakeRoomLocked(Worker& worker, uint64_t bytes) REQUIRES_LOCK(room_mutex_);
  [[nodiscard]] bool StepLocked(Worker& worker, uint64_t bytes, Purse& purse, ExtentId* extent)
      REQUIRES_LOCK(room_mutex_);
  [[nodiscard]] bool OthersAreOlder() const;
  // Frees something towards `bytes`: false when there was nothing.
  [[nodiscard]] bool Free(Worker& worker, uint64_t bytes);
  void EvictAhead(Worker& worker, uint64_t bytes);

  SlabSet& slabs_;
  ChunkSupply& supply_;
  PageRelease& release_;
  Allocator& allocator_;
  Mutex room_mutex_{LockRank::kRoom};
};

}  // namespace larder::slab
