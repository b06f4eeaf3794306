#include "slab/room_maker.h"

namespace larder::slab {

bool RoomMaker::Begin() {
  const std::optional<RoomQueue::Wanted> first = queue_.First();
  if (making_ && first && making_->wanted.number == first->number) return true;
  if (making_) StopKeeping();
  making_.reset();
  if (first) {
    making_.emplace(slabs_.budget, *first, slabs_.extents.ChargeFor(first->value_bytes));
  }
  return first.has_value();
}

bool RoomMaker::Keep() {
  if (!making_->is_kept) {
    making_->is_kept = under_way_.TryAdd(slabs_.budget.LimitBytes(), making_->taken_bytes);
  }
  return making_->is_kept;
}

void RoomMaker::StopKeeping() {
  if (making_->is_kept) under_way_.Remove(making_->taken_bytes);
  making_->is_kept = false;
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
  const bool gets_on =
      Keep() && allocator_.Step(worker, making_->wanted.value_bytes, making_->purse, &extent);
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
