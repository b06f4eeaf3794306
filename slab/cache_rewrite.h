// slab/cache_rewrite.h - replaces an item by one computed from it, as one indivisible step:
// append, prepend, incr, decr.
//
// Items are immutable, and a chunk cannot be taken while a stripe is locked (taking one may evict,
// which locks other stripes). So: look, take a chunk of the size it will need, look again, write
// the new value, then lock and swing the slot only if the old item is still in it. If somebody was
// faster, again: each repetition means that another change went through.
//
// A plan is a type with
//     std::optional<uint32_t> ValueBytes(const Item& old);   // nullopt: refuse
//     void Fill(const Item& old, std::span<char> value);     // REQUIRES: of that size
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "slab/cache_impl.h"
#include "slab/race_window.h"

namespace larder::slab {

enum class RewriteStatus : uint8_t { kDone, kNotFound, kRefused, kNoMemory, kTooLarge };

struct RewriteResult {
  RewriteStatus status = RewriteStatus::kNotFound;
  uint64_t cas = 0;
  Item* old = nullptr;  // lent, with kDone and kRefused
};

namespace internal {

inline ItemSpec SpecLike(const Item& old, std::string_view key, uint32_t value_bytes) {
  return {.key = key,
          .client_flags = old.ClientFlags(),
          .expires_s = kNeverExpires,
          .value_bytes = value_bytes};
}

// Swings the slot from `old` to `fresh`; false when `old` is no longer there.
inline bool TrySwing(CacheImpl& cache, Worker& worker, uint64_t hash, Item* old, Item* fresh) {
  CacheImpl::Change change;
  {
    const MutexLock lock(cache.slabs.index.StripeOf(hash));
    const HashIndex::Slot slot = cache.slabs.index.FindLocked(hash, old);
    if (!slot) return false;
    // Touch holds this lock too, so its expiry is not lost.
    fresh->expires_s.store(old->expires_s.load(std::memory_order_relaxed),
                           std::memory_order_relaxed);
    // With a slot there is nothing to insert, so publishing cannot fail. The generation is the old
    // item's: a flush since it was read takes the new one too.
    change = *cache.PublishLocked(worker, hash, slot, fresh, cache.NextCas(), old->generation);
  }
  cache.Conclude(worker, hash, change);
  return true;
}

}  // namespace internal

template <typename Plan>
RewriteResult Rewrite(CacheImpl& cache, Worker& worker, std::string_view key, Plan& plan) {
  const uint64_t hash = cache.slabs.index.Hash(key);
  while (true) {
    Item* old = cache.Lookup(worker, hash, key);
    if (old == nullptr) return {};
    const std::optional<uint32_t> value_bytes = plan.ValueBytes(*old);
    if (!value_bytes) return {.status = RewriteStatus::kRefused, .old = old};
    const ItemSpec spec = internal::SpecLike(*old, key, *value_bytes);
    ReserveStatus reserved = ReserveStatus::kNoMemory;
    Item* const fresh = cache.NewItem(worker, spec, &reserved);  // `old` is no longer lent
    if (fresh == nullptr) {
      return {.status = reserved == ReserveStatus::kTooLarge ? RewriteStatus::kTooLarge
                                                             : RewriteStatus::kNoMemory};
    }
    RaceWindow(Window::kReservedBeforeRecheck);
    old = cache.Lookup(worker, hash, key);
    if (old != nullptr && plan.ValueBytes(*old) == value_bytes &&
        old->ClientFlags() == spec.client_flags) {
      plan.Fill(*old, {fresh->ValuePlace(), *value_bytes});
      if (internal::TrySwing(cache, worker, hash, old, fresh)) {
        return {.status = RewriteStatus::kDone, .cas = fresh->Cas(), .old = old};
      }
    }
    cache.supply.GiveBack(worker, fresh);
  }
}

}  // namespace larder::slab
