#include "slab/cache_impl.h"

#include "slab/race_window.h"

namespace larder::slab {

// --- finding -------------------------------------------------------------------------------------

Item* CacheImpl::Lookup(Worker& worker, uint64_t hash, std::string_view key) {
  // Asked first, and answered apart: the key need not be kept for it while the index is searched.
  if (WatchesFetches()) [[unlikely]] {
    TellNextFetch(worker, hash, key);
  }
  Item* const item = slabs.index.Find(hash, key);
  if (item == nullptr || !slabs.IsDead(*item)) return item;
  RemoveDead(worker, hash, item);
  return nullptr;
}

void CacheImpl::TellNextFetch(const Worker& worker, uint64_t hash, std::string_view key) const {
  const Item* const item = slabs.index.Find(hash, key);
  TellFetch(worker, key, item, ResultOf(item));
}

FetchResult CacheImpl::ResultOf(const Item* item) const {
  if (item == nullptr) return FetchResult::kNotFound;
  if (!slabs.IsDead(*item)) return FetchResult::kFound;
  return slabs.IsFlushed(*item) ? FetchResult::kFlushed : FetchResult::kExpired;
}

void CacheImpl::TellFetch(const Worker& worker, std::string_view key, const Item* item,
                          FetchResult result) const {
  FetchEvent event{.key = key, .result = result, .origin = worker.origin};
  if (result == FetchResult::kFound) {
    event.class_id = slabs.ClassIdOf(item);
    event.value_bytes = item->ValueBytes();
  }
  slabs.config.events->OnFetch(event);
}

void CacheImpl::CountDead(Worker& worker, const Item& item) const {
  if (slabs.IsFlushed(item)) {
    worker.counters.get_flushed.Add();
  } else {
    worker.counters.get_expired.Add();
  }
}

void CacheImpl::RemoveDead(Worker& worker, uint64_t hash, Item* item) {
  Change change;
  {
    const MutexLock lock(slabs.index.StripeOf(hash));
    const HashIndex::Slot slot = slabs.index.FindLocked(hash, item);
    // A touch may have brought it back to life before we had the lock.
    if (!slot || !slabs.IsDead(*item)) return;
    CountDead(worker, *item);
    change = RemoveLocked(hash, slot);
  }
  Conclude(worker, hash, change);
}

void CacheImpl::MarkAccess(Item& item) const {
  const AccessMark mark = item.Access();
  const AccessMark touched = mark.Touched(slabs.clock.NowTenths());
  // Compared before it is written: a hot item's cache line stays shared between the cores.
  if (touched.Bits() != mark.Bits()) item.SetAccess(touched);
}

void CacheImpl::MarkMet(Item& item) const {
  item.SetAccess(item.Access().Met(slabs.clock.NowTenths()));
}

ItemDetails CacheImpl::DetailsOf(const Item& item) const {
  const AccessMark mark = item.Access();
  const uint32_t now_ds = slabs.clock.NowTenths();
  const uint8_t state = item.state.load(std::memory_order_relaxed);
  return {.expires_s = item.expires_s.load(std::memory_order_relaxed),
          .last_access_s = (now_ds - mark.AgeTenths(now_ds)) / 10,
          .class_id = slabs.ClassIdOf(&item),
          .item_bytes = item.Bytes(),
          .was_fetched = mark.Fetched(),
          .is_stale = (state & item_state::kStale) != 0,
          .token_is_sent = (state & item_state::kTokenSent) != 0,
          .has_binary_key = (state & item_state::kBinaryKey) != 0};
}

namespace {

Hit HitOf(const Item& item, std::string_view value) {
  return {.key = item.Key(),
          .value = value,
          .cas = item.Cas(),
          .client_flags = item.ClientFlags(),
          .expires_s = item.expires_s.load(std::memory_order_relaxed),
          .item = &item};
}

}  // namespace

Hit CacheImpl::MakeHit(const Item& item) const {
  RaceWindow(Window::kValueLentUncopied);
  if (item.ValueBytes() >= Item::kLargeValueBytesMin) [[unlikely]]
    return MakeLongHit(item);
  return HitOf(item, item.InlineValue());
}

Hit CacheImpl::MakeLongHit(const Item& item) const { return HitOf(item, slabs.ValueOf(item)); }

// --- making room ---------------------------------------------------------------------------------

Item* CacheImpl::NewItem(Worker& worker, const ItemSpec& spec, ReserveStatus* status) {
  const uint64_t bytes = Item::BytesFor(spec.key.size(), spec.value_bytes, spec.client_flags != 0,
                                        slabs.config.use_cas);
  const uint32_t class_id = slabs.sizes.ClassFor(bytes);
  if (class_id == 0) return NewLargeItem(worker, spec, bytes, status);
  Item* const item = allocator.Allocate(worker, slabs.Class(class_id));
  if (item == nullptr) {
    worker.CountersOf(class_id).outofmemory.Add();
    *status = ReserveStatus::kNoMemory;
    return nullptr;
  }
  item->Format(spec, slabs.config.use_cas);
  *status = ReserveStatus::kReserved;
  return item;
}

// --- publishing ----------------------------------------------------------------------------------

namespace {

bool IsProtected(const Item& item) {
  return (item.state.load(std::memory_order_relaxed) & item_state::kProtected) != 0;
}

}  // namespace

CacheImpl::Present CacheImpl::FindPresentLocked(Worker& worker, uint64_t hash, std::string_view key,
                                                uint16_t generation) {
  Present present;
  present.slot = slabs.index.FindLocked(hash, key);
  if (!present.slot) return present;
  if (slabs.IsDeadAt(generation, *present.slot.item)) {
    CountDead(worker, *present.slot.item);
    present.result =
        slabs.IsFlushed(*present.slot.item) ? FetchResult::kFlushed : FetchResult::kExpired;
  } else {
    present.live = present.slot.item;
    present.result = FetchResult::kFound;
  }
  return present;
}

std::optional<CacheImpl::Change> CacheImpl::PublishLocked(Worker& worker, uint64_t hash,
                                                          const HashIndex::Slot& slot, Item* fresh,
                                                          uint64_t cas, uint16_t generation) {
  fresh->SetCas(cas);
  fresh->generation = generation;
  // An update of an item that is read keeps its standing.
  const bool was_read = slot && slot.item->Access().WasRead();
  fresh->SetAccess(AccessMark::Fresh(slabs.clock.NowTenths(), was_read));
  const bool is_protected = slot ? IsProtected(*slot.item) : slabs.ghost.TakeLocked(hash);
  const uint8_t marks = fresh->state.load(std::memory_order_relaxed);
  // Release: evictors look at chunks without the index, and read what they see is indexed.
  fresh->state.store(static_cast<uint8_t>(marks | item_state::kIndexed |
                                          (is_protected ? item_state::kProtected : 0)),
                     std::memory_order_release);
  Change change{.added = fresh};
  if (slot) {
    slabs.index.SwingLocked(slot, fresh);
    change.removed = slot.item;
  } else if (!slabs.index.InsertLocked(hash, fresh)) {
    // No memory for another overflow bucket: someone else in the bucket has to go.
    if (!slabs.config.evict) {
      fresh->state.store(marks, std::memory_order_relaxed);
      return std::nullopt;
    }
    const HashIndex::Slot victim = slabs.index.AnyInBucketLocked(hash);
    slabs.index.DisplaceLocked(victim, hash, fresh);
    supply.CountEvicted(worker, *victim.item);
    change.removed = victim.item;
    change.is_eviction = true;
  }
  if (change.removed != nullptr) {
    change.removed_state = change.removed->ClearIndexed();
  }
  if (is_protected) worker.CountersOf(slabs.ClassIdOf(fresh)).protected_added.Add();
  change.index_is_overloaded = slabs.index.IsOverloadedLocked(hash);
  return change;
}

CacheImpl::Change CacheImpl::RemoveLocked(uint64_t hash, const HashIndex::Slot& slot) {
  return {.removed = slot.item, .removed_state = slabs.index.EraseLocked(hash, slot)};
}

void CacheImpl::Conclude(Worker& worker, uint64_t hash, const Change& change) {
  if (change.is_eviction) supply.TellEviction(*change.removed);
  if (change.removed != nullptr) supply.Removed(worker, change.removed, change.removed_state);
  if (change.added != nullptr) supply.Added(worker, change.added, hash);
  if (change.index_is_overloaded) slabs.index.Grow(hash);
}

}  // namespace larder::slab
