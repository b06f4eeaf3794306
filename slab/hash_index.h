// slab/hash_index.h - finds the item of a key: 64-byte buckets in a table that grows one bucket at
// a time while it serves.
//
// Bucket     One cache line: 12 one-byte tags (hash bits, 0 = empty slot), 12 item handles, and
//            the number of an overflow bucket. A miss reads one line and no item (but for a tag
//            met by chance, 9 in 256 at nine entries); a hit reads one line and the item. At the
//            target of 8.5 entries a bucket the index takes 7.5 bytes an item and about one more
//            for overflow.
// Growth     Linear hashing (Litwin, VLDB 1980): bucket n splits off the entries of bucket
//            n - 2^floor(log2 n) that belong to it. One split costs about a microsecond and is
//            paid by the store that makes it due, so there is no big step, no second table, and
//            the load stays where it is best. Memory is charged to the budget in small segments.
// Stripes    Writers lock one of kStripeCount stripes, chosen by the low bits of the hash. There
//            are never fewer buckets than stripes, so a bucket, its overflow buckets and the
//            bucket it splits into all belong to one stripe.
//
// Reads take no lock. The invariants that make that right:
//   1. A slot's handle is stored after its tag, and cleared before it. A reader takes the handle
//      of a matching tag and compares the key in the item; the item cannot be reused while the
//      reader is on-line (epoch.h).
//   2. An update swings the handle of the slot: one store, so the key is there before and after.
//   3. An entry moves only upwards, from the last overflow bucket into the main bucket: written
//      there before it is cleared below. A reader that went below and found nothing looks at the
//      main bucket once more; it saw the cleared slot, so it sees the entry above.
//   4. Only an empty last overflow bucket is unlinked. It may be reused at once: whoever still
//      looks at it finds keys that do not match, then does as in 3.
//   5. A split writes the moving entries to the new bucket, publishes the bucket count, and only
//      then clears them in the old one. A reader that misses compares the bucket count with the
//      one it started from: had it met a cleared slot, it sees the new count, and begins again if
//      that sends its key elsewhere.
//
// Units      entries, buckets; bytes where the name says so.
// Owner      the index owns its buckets; items belong to the slab classes.
// Threads    Find, Prefetch: any on-line worker, no lock. *Locked: under the key's stripe.
// Errors     InsertLocked returns false when there is no memory for an overflow bucket.
// Not here   expiry, flush, who retires an item: cache_impl.h.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "slab/item.h"
#include "slab/locks.h"
#include "slab/mapping.h"
#include "slab/memory_budget.h"
#include "slab/page_arena.h"

namespace larder::slab {

struct alignas(64) Bucket {
  static constexpr uint32_t kSlotCount = 12;

  // Tags of slots 0..7, one byte each.
  std::atomic<uint64_t> tags_low;
  // Tags of slots 8..11 in the low half, the overflow bucket's number (0 none) in the high half.
  // One word, so that a reader sees a link and the tags beside it at the same moment.
  std::atomic<uint64_t> tags_high_and_link;
  std::array<std::atomic<Handle>, kSlotCount> handles;

  [[nodiscard]] uint32_t Link() const {
    // Acquire: pairs with SetLink's release; what was moved up before an unlink is seen.
    return static_cast<uint32_t>(tags_high_and_link.load(std::memory_order_acquire) >> 32);
  }
};
static_assert(sizeof(Bucket) == 64, "one cache line");

class HashIndex {
 public:
  static constexpr uint32_t kStripeCount = 1024;

  // Main buckets, and overflow buckets, have address space for this part of the arena's: an item
  // takes 32 bytes at least there, and 8 in the index.
  static constexpr uint64_t kArenaPart = 4;

  // Check IsReady() afterwards: false when not even the first segment can be had.
  HashIndex(PageArena& arena, MemoryBudget& budget, uint64_t seed);

  [[nodiscard]] bool IsReady() const { return ready_; }
  [[nodiscard]] uint64_t Hash(std::string_view key) const;

  // --- readers -------------------------------------------------------------------------------
  // The item under `key`, or null. REQUIRES: an on-line worker; lent until its quiescent state.
  [[nodiscard]] Item* Find(uint64_t hash, std::string_view key) const;
  // Starts loading the bucket that Find(hash) reads first.
  void PrefetchBucket(uint64_t hash) const;
  // Starts loading the items that Find(hash) will compare. Reads the bucket.
  void PrefetchItems(uint64_t hash) const;

  // The same, and the stripe, to write to both.
  void PrefetchForChange(uint64_t hash) const;

  // --- writers -------------------------------------------------------------------------------
  [[nodiscard]] Mutex& StripeOf(uint64_t hash) const {
    return stripes_[hash & (kStripeCount - 1)].mutex;
  }
  // A place in the index; good while the stripe stays locked.
  struct Slot {
    Bucket* bucket = nullptr;
    uint32_t position = 0;
    Item* item = nullptr;
    explicit operator bool() const { return item != nullptr; }
  };
  [[nodiscard]] Slot FindLocked(uint64_t hash, std::string_view key) const;
  [[nodiscard]] Slot FindLocked(uint64_t hash, const Item* item) const;
  // REQUIRES: the key is not in the index.
  [[nodiscard]] bool InsertLocked(uint64_t hash, Item* item);
  // Any entry of the bucket that `hash` belongs to. REQUIRES: InsertLocked has just failed.
  [[nodiscard]] Slot AnyInBucketLocked(uint64_t hash) const;
  // `item` takes the place of the slot's item, which has the same key.
  void SwingLocked(const Slot& slot, Item* item);
  // `item` takes the place of an item with another key in the same bucket.
  void DisplaceLocked(const Slot& slot, uint64_t hash, Item* item);
  // The slot's item is no longer indexed. Returns its state until then.
  uint8_t EraseLocked(uint64_t hash, const Slot& slot);

  // --- walks ---------------------------------------------------------------------------------
  // Adds the items of bucket `number`, and of those it was split into since there were
  // `bucket_count` buckets, to `items`. Locks the bucket's stripe.
  // REQUIRES: an on-line worker, number < bucket_count.
  void CollectFamily(uint64_t number, uint64_t bucket_count, std::vector<Item*>& items) const;

  // --- growth --------------------------------------------------------------------------------
  // Whether the stripe of `hash` is over the target load. A stripe's load stands for the table's:
  // hashes spread over stripes as they do over buckets, and no counter is shared by all writers.
  [[nodiscard]] bool IsOverloadedLocked(uint64_t hash) const {
    return stripes_[hash & (kStripeCount - 1)].entry_count * kStripeCount * 16 >
           BucketCount() * kLoadTarget16;
  }
  // Splits up to kSplitsPerStore buckets while the stripe of `hash` is over the target load.
  // REQUIRES: no stripe is locked by this thread.
  void Grow(uint64_t hash);
  // True from a refused charge until memory was found; the maintainer frees a page for it.
  [[nodiscard]] bool WantsMemory() const { return wants_memory_.load(std::memory_order_relaxed); }
  void MemoryFreed() { wants_memory_.store(false, std::memory_order_relaxed); }

  // --- figures -------------------------------------------------------------------------------
  [[nodiscard]] uint64_t BucketCount() const {
    return bucket_count_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] uint64_t Bytes() const { return charged_bytes_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint64_t OverflowCount() const {
    return overflow_used_.load(std::memory_order_relaxed);
  }

 private:
  friend class LineNames;  // tests/slab/shared_writes
  static constexpr uint64_t kSegmentBytes = 64 * 1024;
  static constexpr uint64_t kBucketsPerSegment = kSegmentBytes / sizeof(Bucket);
  static_assert(kBucketsPerSegment >= kStripeCount, "a stripe has at least one bucket");
  // Entries per bucket, times 16, above which the table grows: 8.5 of 12.
  static constexpr uint64_t kLoadTarget16 = 136;
  static constexpr uint32_t kSplitsPerStore = 4;
  // Overflow buckets a reader follows before it starts again at the main bucket: a chain this
  // long is a bucket reused under its eyes, not a chain.
  static constexpr uint32_t kHopsMax = 4096;

  struct alignas(64) Stripe {
    mutable Mutex mutex{LockRank::kStripe};
    uint64_t entry_count = 0;  // guarded by mutex
  };

  [[nodiscard]] static uint8_t TagOf(uint64_t hash) {
    const auto tag = static_cast<uint8_t>(hash >> 56);
    return tag != 0 ? tag : 1;
  }
  [[nodiscard]] static uint64_t BucketNumber(uint64_t hash, uint64_t bucket_count);
  [[nodiscard]] Bucket& MainBucket(uint64_t number) const { return buckets_[number]; }
  [[nodiscard]] Bucket& OverflowBucket(uint32_t number) const { return overflow_[number]; }
  [[nodiscard]] Bucket& BucketFor(uint64_t hash) const {
    return MainBucket(BucketNumber(hash, bucket_count_.load(std::memory_order_acquire)));
  }
  [[nodiscard]] Item* ItemAt(Handle handle) const {
    return reinterpret_cast<Item*>(arena_.At(handle));
  }

  [[nodiscard]] Item* FindInBucket(const Bucket& bucket, uint8_t tag, std::string_view key) const;
  [[nodiscard]] Item* FindInChain(const Bucket& main, uint8_t tag, std::string_view key) const;
  template <typename Matches>
  [[nodiscard]] Slot FindSlotLocked(uint64_t hash, const Matches& matches) const;

  void CollectChain(const Bucket& main, std::vector<Item*>& items) const;
  // An empty slot of the chain, in a new overflow bucket if need be.
  [[nodiscard]] Slot FreeSlotLocked(Bucket& main);
  void PullUpLocked(Bucket& main);
  [[nodiscard]] static Bucket* LastOf(Bucket& main, const HashIndex& index, Bucket** before);

  [[nodiscard]] uint32_t TakeOverflowBucket();
  void GiveOverflowBucket(uint32_t number);

  [[nodiscard]] bool ExtendIfNeeded(uint64_t bucket_count);
  [[nodiscard]] bool TryCharge();
  [[nodiscard]] bool SplitOne() REQUIRES_LOCK(growth_mutex_);
  [[nodiscard]] bool MoveEntriesLocked(Bucket& from, Bucket& to, uint64_t target, uint64_t mask);
  void ClearMovedLocked(Bucket& from, uint64_t target, uint64_t mask);

  PageArena& arena_;
  MemoryBudget& budget_;
  const uint64_t seed_;
  bool ready_ = false;

  // Never changed: read by all, on lines that nobody writes.
  Mapping bucket_memory_;
  Bucket* buckets_ = nullptr;
  Mapping overflow_memory_;
  Bucket* overflow_ = nullptr;  // number 0 is never used
  std::unique_ptr<Stripe[]> stripes_ = std::make_unique<Stripe[]>(kStripeCount);

  // Read by all, written by a split.
  alignas(64) std::atomic<uint64_t> bucket_count_{kBucketsPerSegment};

  // Those who split a bucket, and those who take an overflow bucket or give one back.
  alignas(64) mutable Mutex growth_mutex_{LockRank::kGrowth};
  uint64_t buckets_charged_ GUARDED_BY(growth_mutex_) = 0;

  mutable Mutex overflow_mutex_{LockRank::kOverflow};
  std::vector<uint32_t> overflow_free_ GUARDED_BY(overflow_mutex_);
  uint32_t overflow_untouched_ GUARDED_BY(overflow_mutex_) = 1;
  uint64_t overflow_charged_ GUARDED_BY(overflow_mutex_) = 0;  // buckets

  std::atomic<uint64_t> overflow_used_{0};
  std::atomic<uint64_t> charged_bytes_{0};
  std::atomic<bool> wants_memory_{false};
};

}  // namespace larder::slab
