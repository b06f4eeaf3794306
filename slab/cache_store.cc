// slab/cache_store.cc - reserve and commit, remove, append and prepend, incr and decr.
#include <algorithm>
#include <cstring>
#include <utility>

#include "slab/cache.h"
#include "slab/cache_impl.h"
#include "slab/cache_rewrite.h"
#include "slab/decimal.h"

namespace larder::slab {

// --- reservations --------------------------------------------------------------------------------

Reservation::Reservation(Reservation&& other) noexcept
    : status_(other.status_),
      item_(std::exchange(other.item_, nullptr)),
      cache_(other.cache_),
      worker_(other.worker_),
      kept_bytes_(std::exchange(other.kept_bytes_, 0)) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this == &other) return *this;
  Abandon();
  status_ = other.status_;
  item_ = std::exchange(other.item_, nullptr);
  cache_ = other.cache_;
  worker_ = other.worker_;
  kept_bytes_ = std::exchange(other.kept_bytes_, 0);
  return *this;
}

std::span<char> Reservation::Value() const {
  if (item_ == nullptr) return {};
  return {item_->ValuePlace(), item_->ValueBytes()};
}

void Reservation::StopKeeping() {
  if (kept_bytes_ == 0) return;
  cache_->under_way_bytes.fetch_sub(std::exchange(kept_bytes_, 0), std::memory_order_relaxed);
}

void Reservation::Abandon() {
  StopKeeping();
  if (item_ == nullptr) return;
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
  reservation.item_ = impl_->NewItem(worker, spec, &reservation.status_);
  reservation.cache_ = impl_.get();
  reservation.worker_ = &worker;
  if (reservation.status_ == ReserveStatus::kTooLarge) worker.counters.store_too_large.Add();
  if (reservation.status_ == ReserveStatus::kNoMemory) worker.counters.store_no_memory.Add();
  if (reservation) {
    const uint32_t class_id = impl_->slabs.ClassOf(reservation.item_).Id();
    worker.CountersOf(class_id).cmd_set.Add();
  }
  return reservation;
}

namespace {

uint64_t UnderWayMax(uint64_t limit_bytes, uint32_t chunk_bytes) {
  constexpr uint32_t kSmallBytesMax = 64 * 1024;
  return chunk_bytes <= kSmallBytesMax ? limit_bytes / 4 * 3 : limit_bytes / 2;
}

}  // namespace

bool Cache::KeepUnderWay(Reservation& reservation) {
  if (reservation.kept_bytes_ != 0) return true;
  const uint32_t chunk_bytes = impl_->slabs.ClassOf(reservation.item_).ChunkBytes();
  // Relaxed: a sum; what it counts is handed over elsewhere.
  const uint64_t before = impl_->under_way_bytes.fetch_add(chunk_bytes, std::memory_order_relaxed);
  reservation.kept_bytes_ = chunk_bytes;
  if (before + chunk_bytes <= UnderWayMax(impl_->slabs.config.limit_bytes, chunk_bytes)) {
    return true;
  }
  reservation.Abandon();
  return false;
}

// --- commit --------------------------------------------------------------------------------------

namespace {

// What the store finds under its key; dead items count as none, but their slot is reused.
struct Present {
  HashIndex::Slot slot;
  Item* live = nullptr;
};

Present FindPresentLocked(CacheImpl& cache, Worker& worker, uint64_t hash, std::string_view key,
                          uint16_t generation) {
  Present present;
  present.slot = cache.slabs.index.FindLocked(hash, key);
  if (!present.slot) return present;
  if (cache.slabs.IsDeadAt(generation, *present.slot.item)) {
    cache.CountDead(worker, *present.slot.item);
  } else {
    present.live = present.slot.item;
  }
  return present;
}

StoreStatus JudgeCas(const SlabSet& slabs, Worker& worker, const Item* live, uint64_t cas,
                     uint32_t class_id) {
  if (live == nullptr) {
    worker.counters.cas_misses.Add();
    return StoreStatus::kNotFound;
  }
  WorkerClassCounters& counters = worker.CountersOf(class_id);
  // Without ids every comparison fails, as memcached's does.
  if (!slabs.config.use_cas || live->Cas() != cas) {
    counters.cas_badval.Add();
    return StoreStatus::kExists;
  }
  counters.cas_hits.Add();
  return StoreStatus::kStored;
}

// Whether the store goes ahead (kStored) or what it answers instead.
StoreStatus Judge(CacheImpl& cache, Worker& worker, StoreMode mode, Item* live, uint64_t cas,
                  uint32_t class_id) {
  switch (mode) {
    case StoreMode::kAdd:
      if (live == nullptr) return StoreStatus::kStored;
      cache.MarkAccess(*live);
      return StoreStatus::kNotStored;
    case StoreMode::kReplace:
      return live != nullptr ? StoreStatus::kStored : StoreStatus::kNotStored;
    case StoreMode::kCas:
      return JudgeCas(cache.slabs, worker, live, cas, class_id);
    case StoreMode::kSet:
    case StoreMode::kAppend:
    case StoreMode::kPrepend:
      break;
  }
  return StoreStatus::kStored;
}

// append, prepend: the old value and the sent one, in this order or the other.
class Concatenation {
 public:
  Concatenation(std::string_view added, bool at_end) : added_(added), at_end_(at_end) {}

  std::optional<uint32_t> ValueBytes(const Item& old) const {
    const uint64_t total = uint64_t{old.ValueBytes()} + added_.size();
    if (total > Item::kValueBytesMask) return std::nullopt;
    return static_cast<uint32_t>(total);
  }
  void Fill(const Item& old, std::span<char> value) const {
    const std::string_view first = at_end_ ? old.Value() : added_;
    const std::string_view second = at_end_ ? added_ : old.Value();
    std::memcpy(value.data(), first.data(), first.size());
    std::memcpy(value.data() + first.size(), second.data(), second.size());
  }

 private:
  std::string_view added_;
  bool at_end_;
};

StoreResult Concatenate(CacheImpl& cache, Worker& worker, const Item& sent, bool at_end) {
  Concatenation plan(sent.Value(), at_end);
  const RewriteResult result = Rewrite(cache, worker, sent.Key(), plan);
  // A result without memory or too large is NOT_STORED, as memcached answers.
  if (result.status != RewriteStatus::kDone) {
    cache.NextCas();
    return {.status = StoreStatus::kNotStored};
  }
  worker.counters.total_items.Add();
  return {.status = StoreStatus::kStored, .cas = result.cas};
}

StoreResult Publish(CacheImpl& cache, Worker& worker, Item* fresh, StoreMode mode, uint64_t cas) {
  const uint64_t hash = cache.slabs.index.Hash(fresh->Key());
  const uint32_t class_id = cache.slabs.ClassOf(fresh).Id();
  std::optional<CacheImpl::Change> change;
  {
    const MutexLock lock(cache.slabs.index.StripeOf(hash));
    const uint16_t generation = cache.slabs.flush.Generation();
    const Present present = FindPresentLocked(cache, worker, hash, fresh->Key(), generation);
    const uint64_t new_cas = cache.NextCas();
    const StoreStatus verdict = Judge(cache, worker, mode, present.live, cas, class_id);
    if (verdict != StoreStatus::kStored) return {.status = verdict};
    change = cache.PublishLocked(worker, hash, present.slot, fresh, new_cas, generation);
    if (!change) return {.status = StoreStatus::kNoMemory};
  }
  worker.counters.total_items.Add();
  const uint64_t stored_cas = fresh->Cas();
  cache.Conclude(worker, hash, *change);
  return {.status = StoreStatus::kStored, .cas = stored_cas};
}

}  // namespace

StoreResult Cache::Commit(Worker& worker, Reservation reservation, const CommitSpec& spec) {
  const StoreMode mode = spec.mode;
  const uint64_t cas = spec.cas;
  Item* const sent = reservation.item_;
  if (mode == StoreMode::kAppend || mode == StoreMode::kPrepend) {
    return Concatenate(*impl_, worker, *sent, mode == StoreMode::kAppend);
  }
  const StoreResult result = Publish(*impl_, worker, sent, mode, cas);
  if (result.status == StoreStatus::kStored) reservation.item_ = nullptr;  // it is the cache's now
  return result;
}

void Cache::DropForFailedSet(Worker& worker, std::string_view key) {
  const uint64_t hash = impl_->slabs.index.Hash(key);
  CacheImpl::Change change;
  {
    const MutexLock lock(impl_->slabs.index.StripeOf(hash));
    const HashIndex::Slot slot = impl_->slabs.index.FindLocked(hash, key);
    if (!slot) return;
    change = impl_->RemoveLocked(hash, slot);
  }
  impl_->Conclude(worker, hash, change);
}

// --- remove --------------------------------------------------------------------------------------

RemoveStatus Cache::Remove(Worker& worker, std::string_view key,
                           std::optional<uint64_t> compare_cas) {
  const uint64_t hash = impl_->slabs.index.Hash(key);
  CacheImpl::Change change;
  bool was_live = false;
  {
    const MutexLock lock(impl_->slabs.index.StripeOf(hash));
    const Present present =
        FindPresentLocked(*impl_, worker, hash, key, impl_->slabs.flush.Generation());
    if (present.live != nullptr && compare_cas && present.live->Cas() != *compare_cas) {
      worker.counters.delete_misses.Add();
      return RemoveStatus::kExists;
    }
    was_live = present.live != nullptr;
    if (present.slot) change = impl_->RemoveLocked(hash, present.slot);
  }
  if (was_live) {
    worker.CountersOf(impl_->slabs.ClassOf(change.removed).Id()).delete_hits.Add();
  } else {
    worker.counters.delete_misses.Add();
  }
  impl_->Conclude(worker, hash, change);
  return was_live ? RemoveStatus::kRemoved : RemoveStatus::kNotFound;
}

// --- arithmetic ----------------------------------------------------------------------------------

namespace {

class Sum {
 public:
  Sum(bool increment, uint64_t delta, uint64_t cas)
      : increment_(increment), delta_(delta), cas_(cas) {}

  std::optional<uint32_t> ValueBytes(const Item& old) {
    refusal_ = ArithmeticStatus::kExists;
    if (cas_ != 0 && old.Cas() != cas_) return std::nullopt;
    refusal_ = ArithmeticStatus::kNonNumeric;
    const std::optional<uint64_t> before = ParseStoredDecimal(old.Value());
    if (!before) return std::nullopt;
    if (increment_) {
      number_ = *before + delta_;
    } else {
      number_ = *before > delta_ ? *before - delta_ : 0;
    }
    return std::max(old.ValueBytes(), DecimalDigits(number_));
  }
  void Fill(const Item& /*old*/, std::span<char> value) const {
    WritePaddedDecimal(number_, value);
  }
  [[nodiscard]] uint64_t Number() const { return number_; }
  [[nodiscard]] ArithmeticStatus Refusal() const { return refusal_; }

 private:
  const bool increment_;
  const uint64_t delta_;
  const uint64_t cas_;
  uint64_t number_ = 0;
  ArithmeticStatus refusal_ = ArithmeticStatus::kNonNumeric;
};

}  // namespace

ArithmeticResult Cache::Arithmetic(Worker& worker, std::string_view key,
                                   const ArithmeticSpec& spec) {
  const bool increment = spec.increment;
  Sum plan(increment, spec.delta, spec.cas);
  const RewriteResult result = Rewrite(*impl_, worker, key, plan);
  switch (result.status) {
    case RewriteStatus::kNotFound:
      (increment ? worker.counters.incr_misses : worker.counters.decr_misses).Add();
      return {.status = ArithmeticStatus::kNotFound};
    case RewriteStatus::kRefused:
      return {.status = plan.Refusal()};
    case RewriteStatus::kNoMemory:
    case RewriteStatus::kTooLarge:
      return {.status = ArithmeticStatus::kNoMemory};
    case RewriteStatus::kDone:
      break;
  }
  WorkerClassCounters& counters = worker.CountersOf(impl_->slabs.ClassOf(result.old).Id());
  (increment ? counters.incr_hits : counters.decr_hits).Add();
  // memcached writes a number that fits into the old item, which then counts as no new one.
  if (DecimalDigits(plan.Number()) > result.old->ValueBytes()) worker.counters.total_items.Add();
  return {.status = ArithmeticStatus::kDone, .number = plan.Number(), .cas = result.cas};
}

}  // namespace larder::slab
