// slab/cache_change.cc - changes of an item that is there: remove, invalidate, hollow, incr, decr.
#include <algorithm>
#include <cstring>

#include "slab/cache.h"
#include "slab/cache_impl.h"
#include "slab/cache_rewrite.h"
#include "slab/decimal.h"

namespace larder::slab {

// --- remove, invalidate, hollow ------------------------------------------------------------------

namespace {

bool Differs(const Item& item, std::optional<uint64_t> compare_cas) {
  return compare_cas && item.Cas() != *compare_cas;
}

RemoveStatus CountMiss(Worker& worker, RemoveStatus status) {
  worker.counters.delete_misses.Add();
  return status;
}

// Stale, and the token taken back, in one step.
void MarkStaleLocked(Item& item) {
  // Relaxed: marks are read by whoever finds the item; nothing else is published by them.
  uint8_t state = item.state.load(std::memory_order_relaxed);
  while (!item.state.compare_exchange_weak(
      state, static_cast<uint8_t>((state & ~item_state::kTokenSent) | item_state::kStale),
      std::memory_order_relaxed)) {
  }
}

}  // namespace

RemoveStatus Cache::Remove(Worker& worker, std::string_view key,
                           std::optional<uint64_t> compare_cas, bool counts_mismatch) {
  const uint64_t hash = impl_->slabs.index.Hash(key);
  CacheImpl::Change change;
  CacheImpl::Present present;
  bool differs = false;
  {
    const MutexLock lock(impl_->slabs.index.StripeOf(hash));
    present = impl_->FindPresentLocked(worker, hash, key, impl_->slabs.flush.Generation());
    differs = present.live != nullptr && Differs(*present.live, compare_cas);
    if (present.slot && !differs) change = impl_->RemoveLocked(hash, present.slot);
  }
  if (impl_->WatchesFetches()) impl_->TellFetch(worker, key, present.live, present.result);
  if (differs && !counts_mismatch) return RemoveStatus::kExists;
  if (differs) return CountMiss(worker, RemoveStatus::kExists);
  if (present.live != nullptr) {
    worker.CountersOf(impl_->slabs.ClassIdOf(present.live)).delete_hits.Add();
  }
  impl_->Conclude(worker, hash, change);
  return present.live != nullptr ? RemoveStatus::kRemoved
                                 : CountMiss(worker, RemoveStatus::kNotFound);
}

RemoveStatus Cache::Invalidate(Worker& worker, std::string_view key, const InvalidateSpec& spec) {
  const uint64_t hash = impl_->slabs.index.Hash(key);
  if (impl_->Lookup(worker, hash, key) == nullptr) {
    return CountMiss(worker, RemoveStatus::kNotFound);
  }
  const MutexLock lock(impl_->slabs.index.StripeOf(hash));
  const HashIndex::Slot slot = impl_->slabs.index.FindLocked(hash, key);
  if (!slot || impl_->slabs.IsDead(*slot.item)) return CountMiss(worker, RemoveStatus::kNotFound);
  if (Differs(*slot.item, spec.compare_cas)) return CountMiss(worker, RemoveStatus::kExists);
  slot.item->SetCas(spec.new_cas ? *spec.new_cas : impl_->NextCas());
  if (spec.expires_s) {
    slot.item->expires_s.store(*spec.expires_s, std::memory_order_relaxed);
    impl_->slabs.NoteExpiry(*slot.item);
  }
  MarkStaleLocked(*slot.item);
  return RemoveStatus::kRemoved;
}

namespace {

// Puts `hollow` in the place of the live item, if it is there and `spec` agrees.
RemoveStatus SwingToHollow(CacheImpl& cache, Worker& worker, Item* hollow, const HollowSpec& spec) {
  const uint64_t hash = cache.slabs.index.Hash(hollow->Key());
  if (cache.WatchesFetches()) cache.TellNextFetch(worker, hash, hollow->Key());
  std::optional<CacheImpl::Change> change;
  uint32_t class_id = 0;
  {
    const MutexLock lock(cache.slabs.index.StripeOf(hash));
    const HashIndex::Slot slot = cache.slabs.index.FindLocked(hash, hollow->Key());
    if (!slot || cache.slabs.IsDead(*slot.item)) return RemoveStatus::kNotFound;
    if (Differs(*slot.item, spec.compare_cas)) return RemoveStatus::kExists;
    class_id = cache.slabs.ClassIdOf(slot.item);
    uint64_t cas = slot.item->Cas();
    if (spec.new_cas) {
      cas = *spec.new_cas;
    } else if (spec.becomes_stale) {
      cas = cache.NextCas();
    }
    if (spec.becomes_stale) hollow->state.fetch_or(item_state::kStale, std::memory_order_relaxed);
    change = cache.PublishLocked(worker, hash, slot, hollow, cas, cache.slabs.flush.Generation());
  }
  worker.counters.total_items.Add();
  if (!spec.becomes_stale) worker.CountersOf(class_id).delete_hits.Add();
  cache.Conclude(worker, hash, *change);  // there was a slot, so publishing did not fail
  return RemoveStatus::kRemoved;
}

}  // namespace

RemoveStatus Cache::Hollow(Worker& worker, std::string_view key, const HollowSpec& spec) {
  const Item* const live = impl_->Lookup(worker, impl_->slabs.index.Hash(key), key);
  if (live == nullptr) return CountMiss(worker, RemoveStatus::kNotFound);
  if (Differs(*live, spec.compare_cas)) return CountMiss(worker, RemoveStatus::kExists);
  ReserveStatus reserved = ReserveStatus::kNoMemory;
  Item* const hollow = impl_->NewItem(
      worker, {.key = key, .client_flags = spec.client_flags, .expires_s = spec.expires_s},
      &reserved);
  if (hollow == nullptr) return RemoveStatus::kNoMemory;
  const RemoveStatus status = SwingToHollow(*impl_, worker, hollow, spec);
  if (status == RemoveStatus::kRemoved) return status;
  impl_->supply.GiveBack(worker, hollow);
  return CountMiss(worker, status);
}

// --- arithmetic ----------------------------------------------------------------------------------

namespace {

class Sum {
 public:
  explicit Sum(const ArithmeticSpec& spec) : spec_(spec) {}

  std::optional<uint32_t> ValueBytes(const Item& old) {
    refusal_ = ArithmeticStatus::kNonNumeric;
    if (old.ValueBytes() == 0) return std::nullopt;  // no number, whatever its id
    refusal_ = ArithmeticStatus::kExists;
    if (spec_.cas != 0 && old.Cas() != spec_.cas) return std::nullopt;
    refusal_ = ArithmeticStatus::kNonNumeric;
    if (old.IsLarge()) return std::nullopt;
    const std::optional<uint64_t> before = ParseStoredDecimal(old.InlineValue());
    if (!before) return std::nullopt;
    if (spec_.increment) {
      number_ = *before + spec_.delta;
    } else {
      number_ = *before > spec_.delta ? *before - spec_.delta : 0;
    }
    return std::max(old.ValueBytes(), DecimalDigits(number_));
  }
  void Fill(const Item& /*old*/, std::span<char> value) const {
    WritePaddedDecimal(number_, value);
  }
  [[nodiscard]] uint64_t Number() const { return number_; }
  [[nodiscard]] ArithmeticStatus Refusal() const { return refusal_; }

 private:
  const ArithmeticSpec& spec_;
  uint64_t number_ = 0;
  ArithmeticStatus refusal_ = ArithmeticStatus::kNonNumeric;
};

ArithmeticResult Conclude(CacheImpl& cache, Worker& worker, const ArithmeticSpec& spec,
                          const Sum& plan, const RewriteResult& done) {
  WorkerClassCounters& counters = worker.CountersOf(cache.slabs.ClassIdOf(done.old));
  (spec.increment ? counters.incr_hits : counters.decr_hits).Add();
  // memcached writes a number that fits into the old item, which then counts as no new one.
  if (DecimalDigits(plan.Number()) > done.old->ValueBytes()) worker.counters.total_items.Add();
  return {.status = ArithmeticStatus::kDone,
          .number = plan.Number(),
          .cas = done.fresh->Cas(),
          .expires_before_s = done.expires_before_s,
          .expires_s = spec.touch_expires_s.value_or(done.expires_before_s)};
}

ArithmeticResult Miss(Worker& worker, bool increment) {
  (increment ? worker.counters.incr_misses : worker.counters.decr_misses).Add();
  return {.status = ArithmeticStatus::kNotFound};
}

// Makes an item of the initial number. nullopt: there is one by now.
std::optional<ArithmeticResult> Vivify(CacheImpl& cache, Worker& worker, std::string_view key,
                                       const ArithmeticSpec& spec) {
  const uint32_t digits = DecimalDigits(spec.initial);
  ReserveStatus reserved = ReserveStatus::kNoMemory;
  Item* const fresh = cache.NewItem(
      worker, {.key = key, .expires_s = *spec.vivify_expires_s, .value_bytes = digits}, &reserved);
  if (fresh == nullptr) return ArithmeticResult{.status = ArithmeticStatus::kNoMemoryToCreate};
  WritePaddedDecimal(spec.initial, {fresh->InlinePlace(), digits});
  const StoreResult stored = cache.Publish(worker, fresh, cache.slabs.index.Hash(key),
                                           {.mode = StoreMode::kAdd, .new_cas = spec.new_cas});
  if (stored.status == StoreStatus::kStored) {
    return ArithmeticResult{.status = ArithmeticStatus::kDone,
                            .number = spec.initial,
                            .cas = stored.cas,
                            .expires_before_s = *spec.vivify_expires_s,
                            .expires_s = *spec.vivify_expires_s,
                            .created = true};
  }
  cache.supply.GiveBack(worker, fresh);
  if (stored.status == StoreStatus::kNotStored) return std::nullopt;
  return ArithmeticResult{.status = ArithmeticStatus::kNoMemoryToCreate};
}

}  // namespace

ArithmeticResult Cache::Arithmetic(Worker& worker, std::string_view key,
                                   const ArithmeticSpec& spec) {
  Sum plan(spec);
  const RewriteSpec rewrite{
      .new_cas = spec.new_cas, .expires_s = spec.touch_expires_s, .may_be_same_item = true};
  while (true) {
    const RewriteResult result = Rewrite(*impl_, worker, key, plan, rewrite);
    switch (result.status) {
      case RewriteStatus::kNotFound:
        break;
      case RewriteStatus::kRefused:
        return {.status = plan.Refusal()};
      case RewriteStatus::kNoMemory:
      case RewriteStatus::kTooLarge:
      case RewriteStatus::kLong:  // no number is
        return {.status = ArithmeticStatus::kNoMemory};
      case RewriteStatus::kDone:
        return Conclude(*impl_, worker, spec, plan, result);
    }
    if (!spec.vivify_expires_s) return Miss(worker, spec.increment);
    if (const auto created = Vivify(*impl_, worker, key, spec)) return *created;
  }
}

}  // namespace larder::slab
