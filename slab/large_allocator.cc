#include "slab/large_allocator.h"

#include <algorithm>
#include <optional>

namespace larder::slab {

Item* LargeAllocator::AllocateHead(Worker& worker) {
  return allocator_.Allocate(worker, slabs_.Class(slabs_.LargeClassId()));
}

Item* LargeAllocator::Allocate(Worker& worker, uint32_t value_bytes, ExtentId* extent) {
  Item* const head = AllocateHead(worker);
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

ExtentId LargeAllocator::MakeRoom(Worker& worker, uint64_t bytes) {
  supply_.LockPassingQuiescent(worker, room_mutex_);
  const ExtentId extent = MakeRoomLocked(worker, bytes);
  room_mutex_.Unlock();
  return extent;
}

ExtentId LargeAllocator::MakeRoomLocked(Worker& worker, uint64_t bytes) {
  Purse purse(slabs_.budget, slabs_.extents.ChargeFor(bytes));
  // After the limit was lowered there is more to free than the value needs.
  const uint64_t to_free = bytes + slabs_.budget.ExcessBytes();
  const uint64_t attempts_max = kAttemptsMax + 4 * (to_free / kPageBytes);
  ExtentId extent = kNoExtent;
  uint32_t fruitless = 0;
  for (uint64_t attempt = 0; attempt < attempts_max && fruitless < kFruitlessMax; ++attempt) {
    if (!StepLocked(worker, bytes, purse, &extent)) ++fruitless;
    if (extent != kNoExtent) break;
  }
  return extent;
}

bool LargeAllocator::Step(Worker& worker, uint64_t bytes, Purse& purse, ExtentId* extent) {
  supply_.LockPassingQuiescent(worker, room_mutex_);
  const bool has_freed = StepLocked(worker, bytes, purse, extent);
  room_mutex_.Unlock();
  return has_freed;
}

bool LargeAllocator::StepLocked(Worker& worker, uint64_t bytes, Purse& purse, ExtentId* extent) {
  constexpr uint64_t kRecordBytes = 4096;  // what a slot's record may take of the budget beside it
  const uint64_t lacking = purse.Fill();
  *extent = slabs_.extents.Take(bytes, purse.Bytes());
  if (*extent != kNoExtent) return true;
  const uint64_t wanted =
      std::clamp<uint64_t>(lacking + slabs_.budget.ExcessBytes(), kRecordBytes, kMiB);
  if (slabs_.extents.ReleaseIdle(wanted) > 0) return true;
  // Where much is to be freed, it is what was not used for longest, whatever its size.
  const bool is_much = bytes > kMiB;
  if (is_much && OthersAreOlder() && release_.MovePageTo(worker, 0, PageRelease::Haste::kInLine)) {
    return true;
  }
  return Free(worker, wanted);
}

// Whether the large items that would go next were not used before those of some other class that
// has pages to spare.
bool LargeAllocator::OthersAreOlder() const {
  const uint32_t now_ds = slabs_.clock.NowTenths();
  uint32_t large_age_s = 0;
  std::optional<uint32_t> others_age_s;
  for (const SlabClass& slab_class : slabs_.classes) {
    const MutexLock lock(slab_class.mutex);
    const uint32_t age_s = slab_class.LruLocked().TailAge(now_ds);
    if (slab_class.Id() == slabs_.LargeClassId()) {
      large_age_s = age_s;
    } else if (slab_class.PageCountLocked() >= 2) {
      others_age_s = std::max(others_age_s.value_or(0), age_s);
    }
  }
  return others_age_s && *others_age_s >= large_age_s;
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
