#include "slab/large_allocator.h"

#include <sched.h>

#include <algorithm>
#include <utility>

namespace larder::slab {

Item* LargeAllocator::Allocate(Worker& worker, uint32_t value_bytes, ExtentId* extent) {
  Item* const head = allocator_.Allocate(worker, slabs_.Class(slabs_.LargeClassId()));
  if (head == nullptr) return nullptr;
  *extent = slabs_.extents.Take(value_bytes);
  if (*extent == kNoExtent) *extent = MakeRoom(worker, value_bytes);
  if (*extent == kNoExtent) {
    supply_.GiveBack(worker, head);
    return nullptr;
  }
  while (slabs_.pool.Shed()) {
  }
  EvictAhead(worker, value_bytes);
  return head;
}

void LargeAllocator::EvictAhead(Worker& worker, uint64_t bytes) {
  const uint64_t at_hand = slabs_.budget.FreeBytes() + slabs_.extents.IdleBytes();
  const uint64_t idle_max = slabs_.extents.IdleBytesMax();
  if (bytes <= idle_max && at_hand < idle_max) (void)supply_.EvictLarge(worker, bytes);
}

void LargeAllocator::LockPassingQuiescent(Worker& worker) UNCHECKED_LOCKING {
  while (!room_mutex_.TryLock()) {
    supply_.PassQuiescent(worker);
    sched_yield();
  }
}

ExtentId LargeAllocator::MakeRoom(Worker& worker, uint64_t bytes) {
  LockPassingQuiescent(worker);
  const ExtentId extent = MakeRoomLocked(worker, bytes);
  room_mutex_.Unlock();
  return extent;
}

ExtentId LargeAllocator::MakeRoomLocked(Worker& worker, uint64_t bytes) {
  constexpr uint64_t kRecordBytes = 4096;  // what a slot's record may take of the budget beside it
  Purse purse(slabs_.budget, slabs_.extents.ChargeFor(bytes));
  bool was_full = false;
  uint32_t fruitless = 0;
  for (uint32_t attempt = 0; attempt < kAttemptsMax && fruitless < kFruitlessMax; ++attempt) {
    const ExtentId extent = slabs_.extents.Take(bytes, purse.Bytes());
    if (extent != kNoExtent) return extent;
    const uint64_t lacking = purse.Fill();
    const bool is_full = lacking == 0;
    if (is_full && !std::exchange(was_full, true)) continue;
    if (slabs_.extents.ReleaseIdle(std::max(lacking, kRecordBytes)) > 0) continue;
    if (!Free(worker, std::max(lacking, kRecordBytes))) ++fruitless;
  }
  return kNoExtent;
}

bool LargeAllocator::Free(Worker& worker, uint64_t bytes) {
  if (supply_.EvictLarge(worker, bytes) > 0) {
    const bool in_time = supply_.AwaitReaders(worker);
    supply_.Collect(worker);
    return in_time;
  }
  // What others have evicted may be on its way home.
  if (!supply_.Gather(worker)) return false;
  supply_.Collect(worker);
  if (slabs_.extents.IdleBytes() + slabs_.budget.FreeBytes() > 0) return true;
  return release_.MovePageTo(worker, 0, PageRelease::Haste::kInLine);
}

}  // namespace larder::slab
