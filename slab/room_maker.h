// slab/room_maker.h - frees memory for those who wait for it (room_queue.h), a step at a time.
//
// Threads  Step: one thread at a time, as the worker it was given. What it frees goes to its purse,
//          where nobody else gets it, until it is enough.
// Not here what is freed: large_allocator.h
#pragma once

#include <cstdint>
#include <optional>

#include "slab/large_allocator.h"
#include "slab/room_queue.h"
#include "slab/under_way.h"

namespace larder::slab {

class RoomMaker {
 public:
  RoomMaker(SlabSet& slabs, ChunkSupply& supply, LargeAllocator& allocator, RoomQueue& queue,
            UnderWay& under_way)
      : slabs_(slabs),
        supply_(supply),
        allocator_(allocator),
        queue_(queue),
        under_way_(under_way) {}

  enum class Result : uint8_t {
    kIdle,    // nobody waits
    kMore,    // there is more to do
    kBlocked  // nothing can be done until a value is finished or given back
  };
  // About a page's worth. The worker passes quiescent states.
  Result Step(Worker& worker);

 private:
  [[nodiscard]] static UnderWay::Kind KindOf(const RoomQueue::Wanted& wanted) {
    return wanted.is_result ? UnderWay::Kind::kResult : UnderWay::Kind::kAwaited;
  }
  struct Making {
    Making(MemoryBudget& budget, const RoomQueue::Wanted& request, uint64_t bytes, bool kept)
        : wanted(request), taken_bytes(bytes), is_kept(kept), purse(budget, bytes) {}
    [[nodiscard]] UnderWay::Kind Kind() const { return KindOf(wanted); }
    const RoomQueue::Wanted wanted;
    const uint64_t taken_bytes;
    const bool is_kept;  // counted as under way
    Purse purse;
  };

  // Turns to whoever is to be served now. False: nobody waits.
  [[nodiscard]] bool Begin();
  void TurnTo(const RoomQueue::Wanted& wanted, bool is_kept);
  [[nodiscard]] bool TryKeep(const RoomQueue::Wanted& wanted);
  void StopKeeping();
  void Finish(Worker& worker, ExtentId extent);

  SlabSet& slabs_;
  ChunkSupply& supply_;
  LargeAllocator& allocator_;
  RoomQueue& queue_;
  UnderWay& under_way_;
  std::optional<Making> making_;
};

}  // namespace larder::slab
