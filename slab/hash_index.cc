// slab/hash_index.cc - finding and changing entries. Growth: hash_index_growth.cc
#include "slab/hash_index.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>

#include "slab/bucket_ops.h"
#include "slab/race_window.h"

namespace larder::slab {

HashIndex::HashIndex(PageArena& arena, MemoryBudget& budget, uint64_t seed)
    : arena_(arena),
      budget_(budget),
      seed_(seed),
      // Address space only; what is used is charged segment by segment.
      bucket_memory_(Mapping::Reserve(arena.Bytes() / kArenaPart, sizeof(Bucket))),
      buckets_(reinterpret_cast<Bucket*>(bucket_memory_.Begin())),
      overflow_memory_(Mapping::Reserve(arena.Bytes() / kArenaPart, sizeof(Bucket))),
      overflow_(reinterpret_cast<Bucket*>(overflow_memory_.Begin())) {
  if (buckets_ == nullptr || overflow_ == nullptr) return;
  const MutexLock lock(growth_mutex_);
  ready_ = ExtendIfNeeded(kBucketsPerSegment);
}

uint64_t HashIndex::Hash(std::string_view key) const {
  return XXH3_64bits_withSeed(key.data(), key.size(), seed_);
}

uint64_t HashIndex::BucketNumber(uint64_t hash, uint64_t bucket_count) {
  const uint64_t mask = std::bit_ceil(bucket_count) - 1;
  const uint64_t number = hash & mask;
  return number < bucket_count ? number : hash & (mask >> 1);
}

// --- readers -------------------------------------------------------------------------------------

Item* HashIndex::FindInBucket(const Bucket& bucket, uint8_t tag, std::string_view key) const {
  for (SlotMask matches = MatchTag(bucket, tag); !matches.Empty(); matches.Next()) {
    // Acquire: pairs with the release that stored the handle; the item's bytes are seen whole.
    const Handle handle = bucket.handles[matches.Position()].load(std::memory_order_acquire);
    if (handle == kNoHandle) continue;
    RaceWindow(Window::kSlotFoundItemUnread);
    Item* const item = ItemAt(handle);
    if (item->Key() == key) return item;
  }
  return nullptr;
}

Item* HashIndex::FindInChain(const Bucket& main, uint8_t tag, std::string_view key) const {
  while (true) {
    // The link is read before the tags: seen as 0 after an unlink, it vouches for what was moved
    // up.
    uint32_t link = main.Link();
    if (Item* item = FindInBucket(main, tag, key)) return item;
    if (link == 0) return nullptr;
    RaceWindow(Window::kMainReadOverflowNot);
    uint32_t hop = 0;
    for (; link != 0 && hop < kHopsMax; ++hop) {
      const Bucket& bucket = OverflowBucket(link);
      link = bucket.Link();
      if (Item* item = FindInBucket(bucket, tag, key)) return item;
    }
    if (hop < kHopsMax) return FindInBucket(main, tag, key);  // invariant 3
  }
}

Item* HashIndex::Find(uint64_t hash, std::string_view key) const {
  // Acquire: pairs with SplitOne's publication; the new bucket's entries are seen.
  uint64_t count = bucket_count_.load(std::memory_order_acquire);
  while (true) {
    const uint64_t number = BucketNumber(hash, count);
    if (Item* item = FindInChain(MainBucket(number), TagOf(hash), key)) return item;
    const uint64_t count_after = bucket_count_.load(std::memory_order_acquire);
    if (count_after == count || BucketNumber(hash, count_after) == number) return nullptr;
    count = count_after;  // invariant 5: the key's bucket was split meanwhile
  }
}

void HashIndex::PrefetchBucket(uint64_t hash) const { __builtin_prefetch(&BucketFor(hash)); }

void HashIndex::PrefetchForChange(uint64_t hash) const {
  __builtin_prefetch(&stripes_[hash & (kStripeCount - 1)], 1);
  __builtin_prefetch(&BucketFor(hash), 1);
}

void HashIndex::PrefetchItems(uint64_t hash) const {
  const Bucket& bucket = BucketFor(hash);
  for (SlotMask m = MatchTag(bucket, TagOf(hash)); !m.Empty(); m.Next()) {
    const Handle handle = bucket.handles[m.Position()].load(std::memory_order_relaxed);
    if (handle != kNoHandle) __builtin_prefetch(arena_.At(handle));
  }
}

// --- writers -------------------------------------------------------------------------------------

template <typename Matches>
HashIndex::Slot HashIndex::FindSlotLocked(uint64_t hash, const Matches& matches) const {
  const uint8_t tag = TagOf(hash);
  Bucket* bucket = &BucketFor(hash);
  while (true) {
    for (SlotMask mask = MatchTag(*bucket, tag); !mask.Empty(); mask.Next()) {
      // Relaxed: under the stripe's lock nobody else writes the slot.
      const Handle handle = bucket->handles[mask.Position()].load(std::memory_order_relaxed);
      if (handle == kNoHandle) continue;
      Item* const item = ItemAt(handle);
      if (matches(item)) return {bucket, mask.Position(), item};
    }
    const uint32_t link = bucket->Link();
    if (link == 0) return {};
    bucket = &OverflowBucket(link);
  }
}

HashIndex::Slot HashIndex::FindLocked(uint64_t hash, std::string_view key) const {
  return FindSlotLocked(hash, [key](const Item* item) { return item->Key() == key; });
}

HashIndex::Slot HashIndex::FindLocked(uint64_t hash, const Item* wanted) const {
  return FindSlotLocked(hash, [wanted](const Item* item) { return item == wanted; });
}

HashIndex::Slot HashIndex::FreeSlotLocked(Bucket& main) {
  Bucket* bucket = &main;
  while (true) {
    const SlotMask empty = MatchTag(*bucket, kEmptyTag);
    if (!empty.Empty()) return {bucket, empty.Position(), nullptr};
    const uint32_t link = bucket->Link();
    if (link == 0) break;
    bucket = &OverflowBucket(link);
  }
  const uint32_t added = TakeOverflowBucket();
  if (added == 0) return {};
  SetLink(*bucket, added);
  return {&OverflowBucket(added), 0, nullptr};
}

bool HashIndex::InsertLocked(uint64_t hash, Item* item) {
  const Slot slot = FreeSlotLocked(BucketFor(hash));
  if (slot.bucket == nullptr) return false;
  WriteSlot(*slot.bucket, slot.position, TagOf(hash), arena_.HandleOf(item));
  ++stripes_[hash & (kStripeCount - 1)].entry_count;
  return true;
}

HashIndex::Slot HashIndex::AnyInBucketLocked(uint64_t hash) const {
  Bucket& bucket = BucketFor(hash);
  // The main bucket is full, else the insertion would not have failed. Another slot each time.
  const auto position = static_cast<uint32_t>((hash >> 32) % Bucket::kSlotCount);
  return {&bucket, position, ItemAt(bucket.handles[position].load(std::memory_order_relaxed))};
}

void HashIndex::SwingLocked(const Slot& slot, Item* item) {
  // Release: a reader that takes the handle sees the item whole.
  slot.bucket->handles[slot.position].store(arena_.HandleOf(item), std::memory_order_release);
}

void HashIndex::DisplaceLocked(const Slot& slot, uint64_t hash, Item* item) {
  ClearSlot(*slot.bucket, slot.position);
  WriteSlot(*slot.bucket, slot.position, TagOf(hash), arena_.HandleOf(item));
}

uint8_t HashIndex::EraseLocked(uint64_t hash, const Slot& slot) {
  ClearSlot(*slot.bucket, slot.position);
  --stripes_[hash & (kStripeCount - 1)].entry_count;
  PullUpLocked(BucketFor(hash));
  return slot.item->ClearIndexed();
}

Bucket* HashIndex::LastOf(Bucket& main, const HashIndex& index, Bucket** before) {
  Bucket* last = &main;
  while (const uint32_t link = last->Link()) {
    *before = last;
    last = &index.OverflowBucket(link);
  }
  return last;
}

// Fills holes of the main bucket from the chain's last bucket and lets empty last buckets go, so
// that the chain is no longer than its entries need and most keys are found in one line.
void HashIndex::PullUpLocked(Bucket& main) {
  while (main.Link() != 0) {
    Bucket* before = &main;
    Bucket* const last = LastOf(main, *this, &before);
    SlotMask used = MatchUsed(*last);
    for (SlotMask holes = MatchTag(main, kEmptyTag); !holes.Empty() && !used.Empty();
         holes.Next(), used.Next()) {
      const uint32_t from = used.Position();
      // Relaxed: under the stripe's lock nobody else writes.
      const Handle handle = last->handles[from].load(std::memory_order_relaxed);
      WriteSlot(main, holes.Position(), TagAt(*last, from), handle);
      RaceWindow(Window::kMovedUpNotCleared);
      ClearSlot(*last, from);
    }
    if (!MatchUsed(*last).Empty()) return;
    const uint32_t number = before->Link();
    SetLink(*before, 0);
    GiveOverflowBucket(number);
  }
}

}  // namespace larder::slab
