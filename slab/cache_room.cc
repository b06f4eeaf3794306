// slab/cache_room.cc - large values: their items, room for them, and how much of the memory may be
// with values under way.
#include <algorithm>
#include <chrono>
#include <utility>

#include "slab/cache.h"
#include "slab/cache_impl.h"

namespace larder::slab {

// --- items ---------------------------------------------------------------------------------------

namespace {

// Whether there can ever be room, also for what is sent little by little.
bool CanHaveRoom(const SlabSet& slabs, uint32_t value_bytes) {
  const uint64_t taken_bytes = slabs.extents.ChargeFor(value_bytes);
  return value_bytes <= slabs.extents.BytesMax() &&
         taken_bytes <= UnderWay::BytesMax(slabs.budget.LimitBytes(), taken_bytes);
}

}  // namespace

Item* CacheImpl::NewLargeItem(Worker& worker, const ItemSpec& spec, uint64_t bytes,
                              ReserveStatus* status) {
  *status = ReserveStatus::kTooLarge;
  const uint64_t bytes_max = std::max<uint64_t>(slabs.config.item_bytes_max, kMiB);
  if (bytes > bytes_max || spec.value_bytes > Item::kValueBytesMask ||
      !CanHaveRoom(slabs, spec.value_bytes)) {
    return nullptr;
  }
  const bool may_wait = spec.may_wait && slabs.config.evict;
  if (may_wait && spec.value_bytes > RoomQueue::kInLineBytesMax) {
    return NewWaitingItem(worker, spec, status);
  }
  *status = ReserveStatus::kNoMemory;
  ExtentId extent = kNoExtent;
  Item* const item = large_allocator.Allocate(worker, spec.value_bytes, &extent);
  if (item == nullptr) {
    worker.CountersOf(slabs.LargeClassId()).outofmemory.Add();
    return nullptr;
  }
  item->Format(spec, slabs.config.use_cas);
  item->SetExtent(extent);
  *status = ReserveStatus::kReserved;
  return item;
}

Item* CacheImpl::NewWaitingItem(Worker& worker, const ItemSpec& spec, ReserveStatus* status) {
  Item* const item = large_allocator.AllocateHead(worker);
  *status = item != nullptr ? ReserveStatus::kAwaitsRoom : ReserveStatus::kNoMemory;
  if (item != nullptr) item->Format(spec, slabs.config.use_cas);
  return item;
}

// --- under way -----------------------------------------------------------------------------------

// A head counts for nothing beside what it stands for.
uint64_t Reservation::TakenBytes() const {
  SlabSet& slabs = cache_->slabs;
  if (status_ == ReserveStatus::kAwaitsRoom) return slabs.extents.ChargeFor(item_->ValueBytes());
  return item_->IsLarge() ? slabs.extents.BytesOf(item_->Extent())
                          : slabs.ClassOf(item_).ChunkBytes();
}

bool Reservation::Keep(bool is_awaited) {
  if (kept_bytes_ != 0) return true;
  UnderWay::Kind kind = is_awaited ? UnderWay::Kind::kAwaited : UnderWay::Kind::kArriving;
  if (is_result_) kind = UnderWay::Kind::kResult;
  const uint64_t bytes = TakenBytes();
  if (!cache_->under_way.TryAdd(cache_->slabs.budget.LimitBytes(), bytes, kind)) return false;
  kept_bytes_ = bytes;
  return true;
}

void Reservation::StopKeeping() {
  if (kept_bytes_ == 0) return;
  const UnderWay::Kind kind = is_result_ ? UnderWay::Kind::kResult : UnderWay::Kind::kAwaited;
  cache_->under_way.Remove(std::exchange(kept_bytes_, 0), kind);
  cache_->room.OnFinished(cache_->slabs.clock.NowSeconds());
}

bool Cache::KeepUnderWay(Reservation& reservation) {
  if (reservation.Keep(/*is_awaited=*/false)) return true;
  reservation.Abandon();
  return false;
}

// --- room ----------------------------------------------------------------------------------------

void Reservation::TakeExtent(uint32_t extent) {
  item_->SetExtent(extent);
  status_ = ReserveStatus::kReserved;
}

void Reservation::TakeOrAwaitRoom() {
  SlabSet& slabs = cache_->slabs;
  const uint32_t value_bytes = item_->ValueBytes();
  // Who comes later does not take what is freed for those who wait. Where pages have to be shed for
  // it, that is not done in line.
  const bool is_at_once = cache_->room.Length() == 0 && !slabs.config.preallocate;
  if (is_at_once && Keep(/*is_awaited=*/true)) {
    const ExtentId extent = slabs.extents.Take(value_bytes);
    if (extent != kNoExtent) return TakeExtent(extent);
    StopKeeping();
  }
  if (cache_->room.Join(item_, value_bytes, is_result_, slabs.clock.NowSeconds())) return;
  status_ = ReserveStatus::kNoMemory;
  Abandon();
}

void Reservation::LeaveQueue() {
  const ExtentId extent = cache_->room.Leave(item_);
  status_ = ReserveStatus::kNoMemory;
  if (extent == kNoExtent) return;
  // It was granted, and is counted as under way, but nobody has looked.
  kept_bytes_ = cache_->slabs.extents.ChargeFor(item_->ValueBytes());
  cache_->slabs.extents.GiveBack(extent);
  StopKeeping();
}

void Cache::AwaitRoom(const Reservation& reservation, std::function<void()> wake) {
  impl_->room.SetWake(reservation.item_, std::move(wake));
}

Reservation CacheImpl::ReserveResult(Worker& worker, const ItemSpec& spec) {
  Reservation result;
  result.item_ = NewItem(worker, spec, &result.status_);
  result.cache_ = this;
  result.worker_ = &worker;
  result.is_result_ = true;
  if (result.status_ == ReserveStatus::kAwaitsRoom) result.TakeOrAwaitRoom();
  return result;
}

RoomStatus Cache::TakeRoom(Worker& worker, Reservation& reservation) {
  return impl_->TakeRoom(worker, reservation);
}

RoomStatus CacheImpl::TakeRoom(Worker& worker, Reservation& reservation) {
  ExtentId extent = kNoExtent;
  const RoomStatus status = room.Look(reservation.item_, &extent);
  if (status == RoomStatus::kReady) {
    reservation.kept_bytes_ = slabs.extents.ChargeFor(reservation.item_->ValueBytes());
    reservation.TakeExtent(extent);
  } else if (status == RoomStatus::kRefused) {
    reservation.status_ = ReserveStatus::kNoMemory;
    if (reservation.is_result_) return status;  // it has another try
    worker.counters.store_no_memory.Add();
    worker.CountersOf(slabs.LargeClassId()).outofmemory.Add();
  }
  return status;
}

void Cache::SetWakeRoomMaker(std::function<void()> wake) {
  impl_->room.SetWakeMaker(std::move(wake));
}

Cache::RoomWork Cache::MakeRoom() {
  constexpr std::chrono::milliseconds kStep{5};
  const auto end = std::chrono::steady_clock::now() + kStep;
  Worker& worker = impl_->room_worker;
  auto result = RoomMaker::Result::kMore;
  Online(worker);
  do {
    result = impl_->room_maker.Step(worker);
  } while (result == RoomMaker::Result::kMore && std::chrono::steady_clock::now() < end);
  impl_->supply.Collect(worker);
  Offline(worker);
  if (result == RoomMaker::Result::kIdle) return RoomWork::kIdle;
  return result == RoomMaker::Result::kMore ? RoomWork::kMore : RoomWork::kBlocked;
}

}  // namespace larder::slab
