// slab/hash_index_growth.cc - splitting buckets, and the memory for main and overflow buckets.
#include <algorithm>
#include <bit>

#include "slab/bucket_ops.h"
#include "slab/hash_index.h"
#include "slab/race_window.h"

namespace larder::slab {

// --- memory --------------------------------------------------------------------------------------

bool HashIndex::TryCharge() {
  if (!budget_.TryCharge(kSegmentBytes)) {
    wants_memory_.store(true, std::memory_order_relaxed);
    return false;
  }
  charged_bytes_.fetch_add(kSegmentBytes, std::memory_order_relaxed);
  return true;
}

bool HashIndex::ExtendIfNeeded(uint64_t bucket_count) UNCHECKED_LOCKING {
  if (bucket_count <= buckets_charged_) return true;
  if ((buckets_charged_ + kBucketsPerSegment) * sizeof(Bucket) > bucket_memory_.Bytes()) {
    return false;
  }
  if (!TryCharge()) return false;
  buckets_charged_ += kBucketsPerSegment;
  return true;
}

uint32_t HashIndex::TakeOverflowBucket() {
  const MutexLock lock(overflow_mutex_);
  uint32_t number = 0;
  if (!overflow_free_.empty()) {
    number = overflow_free_.back();
    overflow_free_.pop_back();
  } else {
    if (overflow_untouched_ >= overflow_charged_) {
      if ((overflow_charged_ + kBucketsPerSegment) * sizeof(Bucket) > overflow_memory_.Bytes()) {
        return 0;
      }
      if (!TryCharge()) return 0;
      overflow_charged_ += kBucketsPerSegment;
    }
    number = overflow_untouched_++;
  }
  overflow_used_.fetch_add(1, std::memory_order_relaxed);
  return number;
}

// The bucket is empty and its link 0, as a new one's: nothing to clear.
void HashIndex::GiveOverflowBucket(uint32_t number) {
  const MutexLock lock(overflow_mutex_);
  overflow_free_.push_back(number);
  overflow_used_.fetch_sub(1, std::memory_order_relaxed);
}

// --- splitting -----------------------------------------------------------------------------------

void HashIndex::Grow(uint64_t hash) {
  if (!growth_mutex_.TryLock()) return;  // somebody is growing it already
  for (uint32_t split = 0; split < kSplitsPerStore; ++split) {
    bool is_due = false;
    {
      const MutexLock lock(StripeOf(hash));
      is_due = IsOverloadedLocked(hash);
    }
    if (!is_due || !SplitOne()) break;
  }
  growth_mutex_.Unlock();
}

bool HashIndex::SplitOne() {
  // Relaxed: only the holder of growth_mutex_ changes it.
  const uint64_t count = bucket_count_.load(std::memory_order_relaxed);
  if (!ExtendIfNeeded(count + 1)) return false;
  const uint64_t mask = std::bit_ceil(count + 1) - 1;
  Bucket& from = MainBucket(count & (mask >> 1));
  Bucket& to = MainBucket(count);
  const MutexLock lock(StripeOf(count));
  if (!MoveEntriesLocked(from, to, count, mask)) {
    ClearMovedLocked(to, count, mask);  // what was copied so far; no reader has looked there
    return false;
  }
  RaceWindow(Window::kSplitCopiedUnpublished);
  // Release: pairs with Find's acquire; who sees the count sees the bucket filled.
  bucket_count_.store(count + 1, std::memory_order_release);
  RaceWindow(Window::kSplitPublishedUncleared);
  ClearMovedLocked(from, count, mask);
  return true;
}

// Copies to `to` the entries of `from` that belong there. False: no memory, and nothing is lost.
bool HashIndex::MoveEntriesLocked(Bucket& from, Bucket& to, uint64_t target, uint64_t mask) {
  // The items' keys are needed for their hashes: let the loads overlap.
  for (SlotMask used = MatchUsed(from); !used.Empty(); used.Next()) {
    __builtin_prefetch(arena_.At(from.handles[used.Position()].load(std::memory_order_relaxed)));
  }
  for (Bucket* bucket = &from;; bucket = &OverflowBucket(bucket->Link())) {
    for (SlotMask used = MatchUsed(*bucket); !used.Empty(); used.Next()) {
      const Handle handle = bucket->handles[used.Position()].load(std::memory_order_relaxed);
      if ((Hash(ItemAt(handle)->Key()) & mask) != target) continue;
      const Slot slot = FreeSlotLocked(to);
      if (slot.bucket == nullptr) return false;
      WriteSlot(*slot.bucket, slot.position, TagAt(*bucket, used.Position()), handle);
    }
    if (bucket->Link() == 0) return true;
  }
}

// Clears the entries that belong to bucket `target` and closes up the chain.
void HashIndex::ClearMovedLocked(Bucket& from, uint64_t target, uint64_t mask) {
  for (Bucket* bucket = &from;; bucket = &OverflowBucket(bucket->Link())) {
    for (SlotMask used = MatchUsed(*bucket); !used.Empty(); used.Next()) {
      const uint32_t position = used.Position();
      const Handle handle = bucket->handles[position].load(std::memory_order_relaxed);
      if ((Hash(ItemAt(handle)->Key()) & mask) == target) ClearSlot(*bucket, position);
    }
    if (bucket->Link() == 0) break;
  }
  PullUpLocked(from);
}

}  // namespace larder::slab
