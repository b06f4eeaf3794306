// slab/cache_store.cc - reserve and commit, append and prepend.
#include <algorithm>
#include <cstring>
#include <utility>

#include "slab/cache.h"
#include "slab/cache_impl.h"
#include "slab/cache_rewrite.h"
#include "slab/concatenation.h"
#include "slab/large_concatenation.h"

namespace larder::slab {

// --- reservations --------------------------------------------------------------------------------

Reservation::Reservation(Reservation&& other) noexcept
    : status_(other.status_),
      item_(std::exchange(other.item_, nullptr)),
      cache_(other.cache_),
      worker_(other.worker_),
      hash_(other.hash_),
      kept_bytes_(std::exchange(other.kept_bytes_, 0)),
      may_wait_(other.may_wait_),
      is_result_(other.is_result_) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this == &other) return *this;
  Abandon();
  status_ = other.status_;
  item_ = std::exchange(other.item_, nullptr);
  cache_ = other.cache_;
  worker_ = other.worker_;
  hash_ = other.hash_;
  kept_bytes_ = std::exchange(other.kept_bytes_, 0);
  may_wait_ = other.may_wait_;
  is_result_ = other.is_result_;
  return *this;
}

std::span<char> Reservation::Value() const {
  if (item_ == nullptr || status_ != ReserveStatus::kReserved) return {};
  return cache_->slabs.ValuePlaceOf(*item_);
}

Hit Reservation::View() const { return item_ == nullptr ? Hit{} : cache_->MakeHit(*item_); }

void Reservation::Abandon() {
  if (kept_bytes_ != 0) [[unlikely]]
    StopKeeping();
  if (item_ == nullptr) return;
  if (status_ == ReserveStatus::kAwaitsRoom) [[unlikely]]
    LeaveQueue();
  Item* const item = std::exchange(item_, nullptr);
  if (worker_->is_online) {
    cache_->supply.GiveBack(*worker_, item);
    return;
  }
  const MutexLock lock(worker_->turn_mutex);
  cache_->supply.GiveBack(*worker_, item);
}

Reservation Cache::Reserve(Worker& worker, const ItemSpec& spec) {
  Reservation reservation;
  reservation.hash_ = impl_->slabs.index.Hash(spec.key);
  // On their way while the chunk is laid out and the value copied.
  impl_->slabs.PrefetchForChange(reservation.hash_);
  reservation.item_ = impl_->NewItem(worker, spec, &reservation.status_);
  reservation.cache_ = impl_.get();
  reservation.worker_ = &worker;
  reservation.may_wait_ = spec.may_wait;
  if (reservation.status_ == ReserveStatus::kAwaitsRoom) [[unlikely]]
    reservation.TakeOrAwaitRoom();
  if (!spec.counts_at_once) return reservation;
  if (reservation) {
    CountStore(worker, reservation);
  } else {
    const bool is_too_large = reservation.status_ == ReserveStatus::kTooLarge;
    WorkerCounters& counters = worker.counters;
    (is_too_large ? counters.store_too_large : counters.store_no_memory).Add();
  }
  return reservation;
}

// --- commit --------------------------------------------------------------------------------------

namespace {

// Whether an item with this id may be replaced; counts.
StoreStatus JudgeCas(SlabSet& slabs, Worker& worker, const Item* live, const CommitSpec& spec) {
  if (live == nullptr) {
    worker.counters.cas_misses.Add();
    return StoreStatus::kNotFound;
  }
  WorkerClassCounters& counters = worker.CountersOf(slabs.ClassIdOf(live));
  const uint64_t cas = live->Cas();
  const bool is_older = spec.invalidates_older && spec.cas != 0 && spec.cas < cas;
  // Without ids every comparison fails, as memcached's does, and so does one with 0, even where an
  // item was given that id.
  const bool is_same = spec.cas != 0 && spec.cas == cas;
  if (!slabs.config.use_cas || (!is_same && !is_older)) {
    counters.cas_badval.Add();
    return StoreStatus::kExists;
  }
  counters.cas_hits.Add();
  return StoreStatus::kStored;
}

// Whether the store goes ahead (kStored) or what it answers instead.
StoreStatus Judge(CacheImpl& cache, Worker& worker, Item* live, const CommitSpec& spec) {
  switch (spec.mode) {
    case StoreMode::kAdd:
      if (live == nullptr) return StoreStatus::kStored;
      cache.MarkMet(*live);
      return StoreStatus::kNotStored;
    case StoreMode::kReplace:
      return live != nullptr ? StoreStatus::kStored : StoreStatus::kNotStored;
    case StoreMode::kCas:
      return JudgeCas(cache.slabs, worker, live, spec);
    case StoreMode::kSet:
    case StoreMode::kAppend:
    case StoreMode::kPrepend:
      break;
  }
  return StoreStatus::kStored;
}

// A store with an id older than the item's, where that is let through: the new value is stale from
// the start, and everything else goes on as it was.
void BecomeStaleLike(const Item& old, Item& fresh) {
  fresh.expires_s.store(old.expires_s.load(std::memory_order_relaxed), std::memory_order_relaxed);
  const uint8_t token = old.state.load(std::memory_order_relaxed) & item_state::kTokenSent;
  fresh.state.fetch_or(item_state::kStale | token, std::memory_order_relaxed);
}

}  // namespace

StoreResult CacheImpl::Publish(Worker& worker, Item* fresh, uint64_t hash, const CommitSpec& spec,
                               Look look) {
  std::optional<Change> change;
  Present present;
  StoreStatus verdict = StoreStatus::kStored;
  {
    const MutexLock lock(slabs.index.StripeOf(hash));
    const uint16_t generation = slabs.flush.Generation();
    present = FindPresentLocked(worker, hash, fresh->Key(), generation);
    const uint64_t cas = spec.new_cas ? *spec.new_cas : NextCas();
    verdict = Judge(*this, worker, present.live, spec);
    if (verdict == StoreStatus::kStored) {
      if (spec.mode == StoreMode::kCas && present.live->Cas() != spec.cas) {
        BecomeStaleLike(*present.live, *fresh);
      }
      change = PublishLocked(worker, hash, present.slot, fresh, cas, generation);
    }
  }
  const bool tells_look = look == Look::kUntold && WatchesFetches();
  if (tells_look) TellFetch(worker, fresh->Key(), present.live, present.result);
  if (verdict != StoreStatus::kStored) return {.status = verdict};
  if (!change) return {.status = StoreStatus::kNoMemory};
  worker.counters.total_items.Add();
  const StoreResult stored{
      .status = StoreStatus::kStored, .cas = fresh->Cas(), .value_bytes = fresh->ValueBytes()};
  Conclude(worker, hash, *change);
  return stored;
}

namespace {

StoreResult Concatenate(CacheImpl& cache, Worker& worker, const Item& sent, const CommitSpec& spec,
                        uint32_t at_once_bytes_max) {
  Concatenation plan(cache.slabs, sent, spec);
  const RewriteResult result =
      Rewrite(cache, worker, sent.Key(), plan,
              {.new_cas = spec.new_cas, .at_once_bytes_max = at_once_bytes_max});
  if (result.status == RewriteStatus::kDone) {
    worker.counters.total_items.Add();
    return {.status = StoreStatus::kStored,
            .cas = result.fresh->Cas(),
            .value_bytes = result.fresh->ValueBytes()};
  }
  if (result.status == RewriteStatus::kNotFound) return {.status = StoreStatus::kNotFound};
  if (result.status == RewriteStatus::kRefused) return {.status = plan.Refusal()};
  if (result.status == RewriteStatus::kLong) return {.status = StoreStatus::kUnfinished};
  // A result without memory or too large is NOT_STORED, as memcached answers.
  return {.status = StoreStatus::kNotStored};
}

}  // namespace

StoreResult CacheImpl::ConcatenateOrVivify(Worker& worker, Item* sent, const CommitSpec& spec,
                                           uint32_t at_once_bytes_max, bool* sent_is_stored) {
  CommitSpec add = spec;
  add.mode = StoreMode::kAdd;
  while (true) {
    StoreResult result = Concatenate(*this, worker, *sent, spec, at_once_bytes_max);
    if (result.status == StoreStatus::kNotFound && spec.vivifies) {
      result = Publish(worker, sent, slabs.index.Hash(sent->Key()), add, Look::kTold);
      if (result.status == StoreStatus::kNotStored) continue;  // somebody else was faster
      *sent_is_stored = result.status == StoreStatus::kStored;
      return result;
    }
    const bool goes_on = result.status == StoreStatus::kUnfinished;
    if (result.status == StoreStatus::kStored || goes_on) return result;
    return FailConcatenation(spec, result.status);
  }
}

StoreResult CacheImpl::FailConcatenation(const CommitSpec& spec, StoreStatus why) {
  if (!spec.new_cas) NextCas();  // an attempt takes a number, whatever becomes of it
  return {.status = why == StoreStatus::kNotFound ? StoreStatus::kNotStored : why};
}

void Cache::CountStore(Worker& worker, const Reservation& reservation) {
  const uint32_t class_id = impl_->slabs.ClassIdOf(reservation.item_);
  worker.CountersOf(class_id).cmd_set.Add();
}

StoreResult Cache::Commit(Worker& worker, Reservation reservation, const CommitSpec& spec,
                          UnfinishedStore* unfinished) {
  Item* const sent = reservation.item_;
  bool sent_is_stored = false;
  StoreResult result;
  if (spec.mode == StoreMode::kAppend || spec.mode == StoreMode::kPrepend) {
    const bool by_steps = unfinished != nullptr && reservation.may_wait_;
    result = impl_->ConcatenateOrVivify(
        worker, sent, spec,
        by_steps ? LargeConcatenation::kAtOnceBytesMax : LargeConcatenation::kNoBytesMax,
        &sent_is_stored);
    if (result.status == StoreStatus::kUnfinished) [[unlikely]] {
      unfinished->reset(new LargeConcatenation(*impl_, std::move(reservation), spec));
      return result;
    }
  } else {
    result = impl_->Publish(worker, sent, reservation.hash_, spec);
    sent_is_stored = result.status == StoreStatus::kStored;
  }
  if (sent_is_stored) reservation.item_ = nullptr;  // it is the cache's now
  return result;
}

void Cache::DropForFailedSet(Worker& worker, std::string_view key) {
  const uint64_t hash = impl_->slabs.index.Hash(key);
  if (impl_->WatchesFetches()) impl_->TellNextFetch(worker, hash, key);
  CacheImpl::Change change;
  {
    const MutexLock lock(impl_->slabs.index.StripeOf(hash));
    const HashIndex::Slot slot = impl_->slabs.index.FindLocked(hash, key);
    if (!slot) return;
    change = impl_->RemoveLocked(hash, slot);
  }
  impl_->Conclude(worker, hash, change);
}

}  // namespace larder::slab
