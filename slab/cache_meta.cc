// slab/cache_meta.cc - a look that may do more than look: touch, fill a hole, hand out the token.
//
// Token      One bit in the item. Whoever sets it has it, and everybody after is told that it is
//            out. It is given with a freshly made item, with a stale one, and with one that is
//            about to expire when the caller asks for that. It is set under the stripe's lock and
//            only while the item is in the index, so of all callers exactly one gets it, and an
//            invalidation, which takes it back, falls before or after.
#include "slab/cache.h"
#include "slab/cache_impl.h"
#include "slab/cache_reads.h"

namespace larder::slab {

namespace {

bool IsRecacheDue(const CacheImpl& cache, const MetaGetSpec& spec, uint32_t expires_s) {
  if (!spec.recache_below_s || expires_s == kNeverExpires) return false;
  // Below zero where a touch has just ended the item's life.
  const int64_t left_s = int64_t{expires_s} - cache.slabs.clock.NowSeconds();
  return left_s < int64_t{*spec.recache_below_s};
}

// True for the one caller who is first. A replaced item's token is nobody's to take; one that has
// moved to another chunk has its id still (relocation.h).
bool TakeToken(CacheImpl& cache, uint64_t hash, Item* item) {
  const MutexLock lock(cache.slabs.index.StripeOf(hash));
  const HashIndex::Slot slot = cache.slabs.index.FindLocked(hash, item->Key());
  if (!slot) return false;
  const bool has_moved = item->HasCas() && slot.item->Cas() == item->Cas();
  if (slot.item != item && !has_moved) return false;
  // Relaxed: see item.h, Marks.
  const uint8_t before =
      slot.item->state.fetch_or(item_state::kTokenSent, std::memory_order_relaxed);
  return (before & item_state::kTokenSent) == 0;
}

// An empty item under a key that has none. Null: no memory, or there is one by now (`*retry`).
Item* Vivify(CacheImpl& cache, Worker& worker, std::string_view key, const MetaGetSpec& spec,
             bool* retry) {
  ReserveStatus reserved = ReserveStatus::kNoMemory;
  Item* const fresh =
      cache.NewItem(worker, {.key = key, .expires_s = *spec.vivify_expires_s}, &reserved);
  if (fresh == nullptr) return nullptr;
  if (spec.takes_token) fresh->state.fetch_or(item_state::kTokenSent, std::memory_order_relaxed);
  const CommitSpec add{.mode = StoreMode::kAdd, .new_cas = spec.vivify_cas};
  const StoreResult stored =
      cache.Publish(worker, fresh, cache.slabs.index.Hash(key), add, CacheImpl::Look::kTold);
  if (stored.status == StoreStatus::kStored) return fresh;
  *retry = stored.status == StoreStatus::kNotStored;
  cache.supply.GiveBack(worker, fresh);
  return nullptr;
}

void CountMetaHit(CacheImpl& cache, Worker& worker, const MetaGetSpec& spec, const Item& item) {
  if (!spec.counts_hit) return;
  WorkerClassCounters& counters = worker.CountersOf(cache.slabs.ClassIdOf(&item));
  CountHit(counters, item, spec.touch_expires_s ? counters.touch_hits : counters.get_hits);
}

MetaHit DescribeFound(CacheImpl& cache, uint64_t hash, Item* item, const MetaGetSpec& spec,
                      uint32_t expires_before_s) {
  MetaHit found;
  found.details = cache.DetailsOf(*item);
  found.expires_before_s = expires_before_s;
  const uint32_t recache_expires_s =
      spec.recaches_before_touch ? expires_before_s : found.details.expires_s;
  const bool is_due = found.details.is_stale || IsRecacheDue(cache, spec, recache_expires_s);
  if (is_due && !found.details.token_is_sent && spec.takes_token) {
    found.won = TakeToken(cache, hash, item);
    found.details.token_is_sent = !found.won;
  }
  if (spec.marks_access) cache.MarkAccess(*item);
  found.hit = cache.MakeHit(*item);
  return found;
}

MetaHit DescribeCreated(CacheImpl& cache, Item* item, const MetaGetSpec& spec) {
  MetaHit created;
  created.details = cache.DetailsOf(*item);
  created.details.token_is_sent = false;  // as it was before this request gave it
  created.expires_before_s = *spec.vivify_expires_s;
  created.created = true;
  created.won = spec.takes_token;
  if (spec.marks_access) cache.MarkAccess(*item);  // who asks next is told of this request
  created.hit = cache.MakeHit(*item);
  return created;
}

}  // namespace

MetaHit Cache::MetaGet(Worker& worker, std::string_view key, const MetaGetSpec& spec) {
  const uint64_t hash = impl_->slabs.index.Hash(key);
  while (true) {
    uint32_t expires_before_s = 0;
    Item* item = impl_->Lookup(worker, hash, key);
    if (item != nullptr && spec.touch_expires_s) {
      item = SetExpiry(*impl_, hash, key, *spec.touch_expires_s, &expires_before_s);
    } else if (item != nullptr) {
      expires_before_s = item->expires_s.load(std::memory_order_relaxed);
    }
    if (item != nullptr) {
      CountMetaHit(*impl_, worker, spec, *item);
      return DescribeFound(*impl_, hash, item, spec, expires_before_s);
    }
    bool retry = false;
    if (spec.vivify_expires_s) item = Vivify(*impl_, worker, key, spec, &retry);
    if (retry) continue;
    if (item == nullptr) {
      worker.counters.get_misses.Add();
      return {};
    }
    CountMetaHit(*impl_, worker, spec, *item);
    return DescribeCreated(*impl_, item, spec);
  }
}

Hit Cache::Look(Worker& worker, std::string_view key) {
  Item* const item = impl_->Lookup(worker, impl_->slabs.index.Hash(key), key);
  return item == nullptr ? Hit{} : impl_->MakeHit(*item);
}

Hit Cache::Peek(Worker& /*worker*/, std::string_view key) {
  Item* const item = impl_->slabs.index.Find(impl_->slabs.index.Hash(key), key);
  if (item == nullptr || impl_->slabs.IsDead(*item)) return {};
  return impl_->MakeHit(*item);
}

ItemDetails Cache::DetailsOf(const Hit& hit) const { return impl_->DetailsOf(*hit.item); }

}  // namespace larder::slab
