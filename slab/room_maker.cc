#include "slab/room_maker.h"

namespace larder::slab {

bool RoomMaker::Begin() {
  if (making_ && making_->is_kept && queue_.IsWaiting(making_->wanted.number)) return true;
  StopKeeping();
  making_.reset();
  const auto first = queue_.First([](const RoomQueue::Wanted&) { return true; });
  if (!first) return false;
  TurnTo(*first, TryKeep(*first));
  if (making_->is_kept) return true;
  const auto result = queue_.First(
      [this](const RoomQueue::Wanted& wanted) { return wanted.is_result && TryKeep(wanted); });
  if (result) TurnTo(*result, /*is_kept=*/true);
  return true;
}

void RoomMaker::TurnTo(const RoomQueue::Wanted& wanted, bool is_kept) {
  making_.emplace(slabs_.budget, wanted, slabs_.extents.ChargeFor(wanted.value_bytes), is_kept);
}

bool RoomMaker::TryKeep(const RoomQueue::Wanted& wanted) {
  const uint64_t bytes = slabs_.extents.ChargeFor(wanted.value_bytes);
  return under_way_.TryAdd(slabs_.budget.LimitBytes(), bytes, KindOf(wanted));
}

void RoomMaker::StopKeeping() {
  if (making_ && making_->is_kept) under_way_.Remove(making_->taken_bytes, making_->Kind());
}

// The count of what is under way goes over to the request with the extent.
void RoomMaker::Finish(Worker& worker, ExtentId extent) {
  while (slabs_.pool.Shed()) supply_.PassQuiescent(worker);
  if (!queue_.Grant(making_->wanted.number, extent)) {
    slabs_.extents.GiveBack(extent);
    StopKeeping();
  }
  making_.reset();
}

RoomMaker::Result RoomMaker::Step(Worker& worker) {
  if (!Begin()) return Result::kIdle;
  const uint32_t now_s = slabs_.clock.NowSeconds();
  ExtentId extent = kNoExtent;
  const bool gets_on = making_->is_kept && allocator_.Step(worker, making_->wanted.value_bytes,
                                                           making_->purse, &extent);
  if (gets_on) queue_.NoteProgress(now_s);
  if (extent != kNoExtent) {
    Finish(worker, extent);
  } else if (!gets_on) {
    if (queue_.HasPatience(now_s)) return Result::kBlocked;
    queue_.Refuse(making_->wanted.number);
  }
  return Result::kMore;
}

}  // namespace larder::slab
