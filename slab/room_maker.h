// slab/room_maker.h - frees memory for those who wait for it (room_queue.h), a step at a time.
//
// Threads  Step: one thread at a time, as the worker it was given. What it frees goes to its purse,
//          where nobody else gets it, until it is enough.
// Not here what is freed: large_allocator.h
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "slab/large_allocator.h"
#include "slab/room_queue.h"

namespace larder::slab {

// How much of the limit values under way may take together, for one of `bytes`: half, so that
// clients that never finish what they began leave the rest to everybody else; or three quarters for
// a small one.
[[nodiscard]] inline uint64_t UnderWayMax(uint64_t limit_bytes, uint64_t bytes) {
  constexpr uint64_t kSmallBytesMax = 64 * 1024;
  return bytes <= kSmallBytesMax ? limit_bytes / 4 * 3 : limit_bytes / 2;
}

class RoomMaker {
 public:
  RoomMaker(SlabSet& slabs, ChunkSupply& supply, LargeAllocator& allocator, RoomQueue& queue,
            std::atomic<uint64_t>& under_way_bytes)
      : slabs_(slabs),
        supply_(supply),
        allocator_(allocator),
        queue_(queue),
        under_way_bytes_(under_way_bytes) {}

  enum class Result : uint8_t {
    kIdle,    // nobody waits
    kMore,    // there is more to do
    kBlocked  // nothing can be done until a value is finished or given back
  };
  // About a page's worth. The worker passes quiescent states.
  Result Step(Worker& worker);

 private:
  struct Making {
    Making(MemoryBudget& budget, const RoomQueue::Wanted& request, uint64_t bytes)
        : wanted(request), taken_bytes(bytes), purse(budget, bytes) {}
    const RoomQueue::Wanted wanted;
    const uint64_t taken_bytes;
    Purse purse;
    bool is_kept = false;  // counted as under way
  };

  // Turns to the first in the queue. False: nobody waits.
  [[nodiscard]] bool Begin();
  [[nodiscard]] bool Keep();
  void StopKeeping();
  void Finish(Worker& worker, ExtentId extent);

  SlabSet& slabs_;
  ChunkSupply& supply_;
  LargeAllocator& allocator_;
  RoomQueue& queue_;
  std::atomic<uint64_t>& under_way_bytes_;
  std::optional<Making> making_;
};

}  // namespace larder::slab
