#include "slab/large_concatenation.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "slab/cache_rewrite.h"
#include "slab/race_window.h"

namespace larder::slab {

namespace {

constexpr StoreResult kGoesOn = {.status = StoreStatus::kUnfinished};

// Copies what is left of `from`, up to `bytes_max`; returns how much that was.
size_t CopyPart(std::string_view from, std::span<char> to, size_t* copied_bytes, size_t bytes_max) {
  const size_t bytes = std::min(from.size() - *copied_bytes, bytes_max);
  if (bytes != 0) std::memcpy(to.data() + *copied_bytes, from.data() + *copied_bytes, bytes);
  *copied_bytes += bytes;
  return bytes;
}

}  // namespace

LargeConcatenation::LargeConcatenation(CacheImpl& cache, Reservation sent, const CommitSpec& spec)
    : cache_(cache),
      sent_(std::move(sent)),
      spec_(spec),
      hash_(cache.slabs.index.Hash(sent_.item_->Key())),
      plan_(cache.slabs, *sent_.item_, spec) {}

LargeConcatenation::~LargeConcatenation() { pin_.Release(); }

StoreResult LargeConcatenation::Step(Worker& worker) {
  switch (phase_) {
    case Phase::kLook:
      return Look(worker);
    case Phase::kRoom:
      return TakeRoom(worker);
    case Phase::kCopy:
      break;
  }
  return Copy(worker);
}

// --- look ----------------------------------------------------------------------------------------

// The first look under the key, of which those who watch are told, was Commit's.
StoreResult LargeConcatenation::Look(Worker& worker) {
  const uint32_t looks_before = look_count_++;
  if (looks_before > kRestartsMax) return DoInOneGo(worker);
  if (looks_before > 0) {
    const StoreResult result = Concatenate(worker, kAtOnceBytesMax);
    if (result.status != StoreStatus::kUnfinished) return result;
  }
  if (!sent_.Keep(/*is_awaited=*/false)) return DoInOneGo(worker);
  Item* const old = cache_.slabs.index.Find(hash_, sent_.item_->Key());
  if (old == nullptr || cache_.slabs.IsDead(*old)) return kGoesOn;
  return AskForRoom(worker, *old);
}

StoreResult LargeConcatenation::Concatenate(Worker& worker, uint32_t at_once_bytes_max) {
  bool sent_is_stored = false;
  const StoreResult result =
      cache_.ConcatenateOrVivify(worker, sent_.item_, spec_, at_once_bytes_max, &sent_is_stored);
  if (sent_is_stored) sent_.item_ = nullptr;  // it is the cache's now
  return result;
}

StoreResult LargeConcatenation::DoInOneGo(Worker& worker) {
  result_.Abandon();
  return Concatenate(worker, kNoBytesMax);
}

// --- room ----------------------------------------------------------------------------------------

StoreResult LargeConcatenation::AskForRoom(Worker& worker, Item& old) {
  SlabSet& slabs = cache_.slabs;
  const std::optional<uint32_t> bytes = plan_.ValueBytes(old);
  if (!bytes || *bytes <= kAtOnceBytesMax) return kGoesOn;
  // It would have to wait for what clients still send, and those may never finish.
  const uint64_t limit_bytes = slabs.budget.LimitBytes();
  if (!cache_.under_way.HasPlaceForResult(limit_bytes, slabs.extents.ChargeFor(*bytes))) {
    return DoInOneGo(worker);
  }
  // Room is not to be made of what it is for.
  cache_.MarkMet(old);
  ItemSpec spec = internal::SpecLike(old, sent_.item_->Key(), *bytes);
  spec.may_wait = true;
  result_ = cache_.ReserveResult(worker, spec);  // `old` is no longer lent
  switch (result_.Status()) {
    case ReserveStatus::kReserved:
      return result_.Keep(/*is_awaited=*/false) ? BeginCopy(worker) : DoInOneGo(worker);
    case ReserveStatus::kAwaitsRoom:
      cache_.room.SetWake(result_.item_, wake_);
      phase_ = Phase::kRoom;
      return TakeRoom(worker);
    case ReserveStatus::kTooLarge:
      break;
    case ReserveStatus::kNoMemory:
      // With evictions on that was only the queue, which is full.
      if (slabs.config.evict) return DoInOneGo(worker);
      break;
  }
  return cache_.FailConcatenation(spec_, StoreStatus::kNotStored);
}

StoreResult LargeConcatenation::TakeRoom(Worker& worker) {
  switch (cache_.TakeRoom(worker, result_)) {
    case RoomStatus::kReady:
      return BeginCopy(worker);
    case RoomStatus::kWaiting:
      return {.status = StoreStatus::kAwaitsRoom};
    case RoomStatus::kRefused:
      break;
  }
  return DoInOneGo(worker);
}

// --- copy ----------------------------------------------------------------------------------------

Item* LargeConcatenation::FindFitting() {
  Item* const old = cache_.slabs.index.Find(hash_, sent_.item_->Key());
  if (old == nullptr || cache_.slabs.IsDead(*old)) return nullptr;
  const bool fits = plan_.ValueBytes(*old) == result_.item_->ValueBytes() &&
                    old->ClientFlags() == result_.item_->ClientFlags();
  return fits ? old : nullptr;
}

StoreResult LargeConcatenation::BeginCopy(Worker& worker) {
  Item* const old = FindFitting();
  if (old == nullptr) return BeginAgain();
  phase_ = Phase::kCopy;
  sent_copied_bytes_ = 0;
  old_copied_bytes_ = old->ValueBytes();  // later, if it is in a chunk
  if (old->IsLarge()) {
    old_ = old;
    old_copied_bytes_ = 0;
    // Relaxed: see Cache::PinValue.
    old->Pins().fetch_add(1, std::memory_order_relaxed);
    pin_ = Pin(old);
    cache_.MarkMet(*old);  // it may have waited for long
  }
  return Copy(worker);
}

StoreResult LargeConcatenation::Copy(Worker& worker) {
  const std::span<char> value = result_.Value();
  size_t left = kSliceBytes;
  if (old_ != nullptr) {
    if (!old_->IsIndexed()) return BeginAgain();  // the rest would be in vain
    left -= CopyPart(cache_.slabs.ValueOf(*old_), plan_.OldPlace(value), &old_copied_bytes_, left);
  }
  CopyPart(plan_.Sent(), plan_.SentPlace(value), &sent_copied_bytes_, left);
  const bool is_whole = old_copied_bytes_ + sent_copied_bytes_ == value.size();
  return is_whole ? Swing(worker) : kGoesOn;
}

StoreResult LargeConcatenation::Swing(Worker& worker) {
  Item* const old = FindFitting();
  if (old == nullptr || (old_ != nullptr && old != old_)) return BeginAgain();
  if (old_ == nullptr) plan_.FillOld(*old, result_.Value());
  RaceWindow(Window::kJoinedNotSwung);
  Item* const fresh = result_.item_;
  uint32_t expires_before_s = 0;
  if (!internal::TrySwing(cache_, worker, hash_, old, fresh, {.new_cas = spec_.new_cas},
                          &expires_before_s)) {
    return BeginAgain();
  }
  result_.item_ = nullptr;  // it is the cache's now
  worker.counters.total_items.Add();
  return {.status = StoreStatus::kStored, .cas = fresh->Cas(), .value_bytes = fresh->ValueBytes()};
}

StoreResult LargeConcatenation::BeginAgain() {
  pin_.Release();
  old_ = nullptr;
  result_.Abandon();
  phase_ = Phase::kLook;
  return kGoesOn;
}

// --- the door ------------------------------------------------------------------------------------

void AbandonStore::operator()(LargeConcatenation* begun) const { delete begun; }

void Cache::AwaitRoom(UnfinishedStore& unfinished, std::function<void()> wake) {
  unfinished->SetWake(std::move(wake));
}

StoreResult Cache::ContinueCommit(Worker& worker, UnfinishedStore& unfinished) {
  const StoreResult result = unfinished->Step(worker);
  const bool goes_on =
      result.status == StoreStatus::kUnfinished || result.status == StoreStatus::kAwaitsRoom;
  if (!goes_on) unfinished.reset();
  return result;
}

const Reservation& Cache::SentOf(const UnfinishedStore& unfinished) { return unfinished->Sent(); }

}  // namespace larder::slab
