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

enum class RewriteStatus : uint8_t { kDone, kNotFound, kRefused, kNoMemory, kTooLarge, kLong };

struct RewriteSpec {
  std::optional<uint64_t> new_cas = std::nullopt;    // instead of the next number
  std::optional<uint32_t> expires_s = std::nullopt;  // instead of the old item's
  // A result as long as the old value counts as the same item changed: it keeps its marks and its
  // record of accesses. Otherwise they start anew.
  bool may_be_same_item = false;
  // kLong instead of a larger one.
  uint32_t at_once_bytes_max = Item::kValueBytesMask;
};

struct RewriteResult {
  RewriteStatus status = RewriteStatus::kNotFound;
  Item* old = nullptr;    // lent, with kDone and kRefused
  Item* fresh = nullptr;  // lent, with kDone
  uint32_t expires_before_s = 0;
};

namespace internal {

inline ItemSpec SpecLike(const Item& old, std::string_view key, uint32_t value_bytes) {
  return {.key = key,
          .client_flags = old.ClientFlags(),
          .expires_s = kNeverExpires,
          .value_bytes = value_bytes};
}

// Swings the slot from `old` to `fresh`; false when `old` is no longer there.
inline bool TrySwing(CacheImpl& cache, Worker& worker, uint64_t hash, Item* old, Item* fresh,
                     const RewriteSpec& spec, uint32_t* expires_before_s) {
  CacheImpl::Change change;
  {
    const MutexLock lock(cache.slabs.index.StripeOf(hash));
    const HashIndex::Slot slot = cache.slabs.index.FindLocked(hash, old);
    if (!slot) return false;
    // Touch holds this lock too, so its expiry is not lost.
    *expires_before_s = old->expires_s.load(std::memory_order_relaxed);
    fresh->expires_s.store(spec.expires_s.value_or(*expires_before_s), std::memory_order_relaxed);
    const bool is_same_item = spec.may_be_same_item && fresh->ValueBytes() == old->ValueBytes();
    if (is_same_item) {
      // Relaxed: marks change under this lock only, and `fresh` is not published yet.
      const uint8_t marks = old->state.load(std::memory_order_relaxed) & item_state::kMarks;
      const uint8_t large = fresh->state.load(std::memory_order_relaxed) & item_state::kLarge;
      fresh->state.store(marks | large, std::memory_order_relaxed);
    }
    // With a slot there is nothing to insert, so publishing cannot fail. The generation is the old
    // item's: a flush since it was read takes the new one too.
    // A sum takes a number even when it brings its own id, as memcached's does.
    const uint64_t next = spec.new_cas && !spec.may_be_same_item ? *spec.new_cas : cache.NextCas();
    change = *cache.PublishLocked(worker, hash, slot, fresh, spec.new_cas.value_or(next),
                                  old->generation);
    if (is_same_item) fresh->SetAccess(old->Access());
  }
  cache.Conclude(worker, hash, change);
  return true;
}

}  // namespace internal

template <typename Plan>
RewriteResult Rewrite(CacheImpl& cache, Worker& worker, std::string_view key, Plan& plan,
                      const RewriteSpec& spec) {
  const uint64_t hash = cache.slabs.index.Hash(key);
  RewriteResult result;
  while (true) {
    Item* old = cache.Lookup(worker, hash, key);
    if (old == nullptr) return {};
    const std::optional<uint32_t> value_bytes = plan.ValueBytes(*old);
    if (!value_bytes) return {.status = RewriteStatus::kRefused, .old = old};
    if (*value_bytes >= Item::kLargeValueBytesMin) [[unlikely]] {
      if (*value_bytes > spec.at_once_bytes_max) return {.status = RewriteStatus::kLong};
      // Room for a large sum is not to be made of what it is a part of.
      cache.MarkMet(*old);
    }
    const ItemSpec item_spec = internal::SpecLike(*old, key, *value_bytes);
    ReserveStatus reserved = ReserveStatus::kNoMemory;
    Item* const fresh = cache.NewItem(worker, item_spec, &reserved);  // `old` is no longer lent
    if (fresh == nullptr) {
      return {.status = reserved == ReserveStatus::kTooLarge ? RewriteStatus::kTooLarge
                                                             : RewriteStatus::kNoMemory};
    }
    RaceWindow(Window::kReservedBeforeRecheck);
    old = cache.slabs.index.Find(hash, key);
    if (old != nullptr && !cache.slabs.IsDead(*old) && plan.ValueBytes(*old) == value_bytes &&
        old->ClientFlags() == item_spec.client_flags) {
      plan.Fill(*old, cache.slabs.ValuePlaceOf(*fresh));
      if (internal::TrySwing(cache, worker, hash, old, fresh, spec, &result.expires_before_s)) {
        result.status = RewriteStatus::kDone;
        result.old = old;
        result.fresh = fresh;
        return result;
      }
    }
    cache.supply.GiveBack(worker, fresh);
  }
}

}  // namespace larder::slab
