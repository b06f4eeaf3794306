// slab/cache_reads.h - steps that Get, Touch and MetaGet have in common.
//
// Threads  as cache.h: a worker within its turn.
// Not here finding an item: cache_impl.h
#pragma once

#include <cstdint>
#include <string_view>

#include "slab/cache_impl.h"

namespace larder::slab {

// `hits`: of `counters`.
inline void CountHit(WorkerClassCounters& counters, const Item& item, Counter& hits) {
  hits.Add();
  const uint8_t state = item.state.load(std::memory_order_relaxed);
  if ((state & item_state::kProtected) != 0) {
    counters.hits_to_warm.Add();
  } else {
    counters.hits_to_hot.Add();
  }
}

// Gives the live item under `key` another expiry; null when there is none any more. Under the
// stripe's lock, so that a rewrite of the item cannot lose it.
inline Item* SetExpiry(CacheImpl& cache, uint64_t hash, std::string_view key, uint32_t expires_s,
                       uint32_t* expires_before_s) {
  const MutexLock lock(cache.slabs.index.StripeOf(hash));
  const HashIndex::Slot slot = cache.slabs.index.FindLocked(hash, key);
  if (!slot || cache.slabs.IsDead(*slot.item)) return nullptr;
  *expires_before_s = slot.item->expires_s.exchange(expires_s, std::memory_order_relaxed);
  cache.slabs.NoteExpiry(*slot.item);
  return slot.item;
}

}  // namespace larder::slab
