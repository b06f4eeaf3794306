// slab/cache_walk.cc - all items, a few buckets of the index at a time.
//
// The walk goes by the buckets that there were when it began. A bucket that was split since is
// visited together with those it was split into: they belong to one stripe, under whose lock the
// handles are copied, so a walk meets each item that stays exactly once, however the index grows.
// The items themselves are looked at after the lock is gone; the epoch keeps them whole.
#include <vector>

#include "slab/cache.h"
#include "slab/cache_impl.h"

namespace larder::slab {

namespace {

// Calls `visit` for the items of the next buckets. False: there are none left.
template <typename Visit>
bool WalkBuckets(const HashIndex& index, WalkCursor& cursor, uint32_t buckets_max,
                 const Visit& visit) {
  if (cursor.bucket_count == 0) cursor.bucket_count = index.BucketCount();
  std::vector<Item*> items;
  for (uint32_t i = 0; i < buckets_max; ++i) {
    if (cursor.next_bucket == cursor.bucket_count) return false;
    items.clear();
    index.CollectFamily(cursor.next_bucket++, cursor.bucket_count, items);
    for (const Item* item : items) __builtin_prefetch(item);
    for (Item* item : items) visit(item);
  }
  return cursor.next_bucket < cursor.bucket_count;
}

}  // namespace

bool Cache::Walk(Worker& /*worker*/, WalkCursor& cursor, uint32_t buckets_max,
                 const VisitItem& visit) {
  return WalkBuckets(impl_->slabs.index, cursor, buckets_max, [&](Item* item) {
    if (!impl_->slabs.IsDead(*item)) visit(impl_->MakeHit(*item));
  });
}

bool Cache::Crawl(Worker& worker, WalkCursor& cursor, uint32_t buckets_max, uint64_t class_mask) {
  return WalkBuckets(impl_->slabs.index, cursor, buckets_max, [&](Item* item) {
    const uint32_t class_id = impl_->slabs.ClassIdOf(item);
    if ((class_mask >> class_id & 1) == 0) return;
    worker.CountersOf(class_id).crawler_items_checked.Add();
    if (!impl_->slabs.IsDead(*item)) return;
    (void)impl_->supply.ReclaimIfDead(worker, impl_->slabs.index.Hash(item->Key()), item);
  });
}

void CacheImpl::SweepIfSmall(Worker& worker) {
  constexpr uint32_t kBucketsMax = 1024;  // what an index begins with: about 8,000 items
  if (slabs.index.BucketCount() > kBucketsMax) return;
  WalkCursor cursor;
  (void)WalkBuckets(slabs.index, cursor, kBucketsMax, [&](Item* item) {
    if (!slabs.IsFlushed(*item)) return;
    (void)supply.FreeIfDead(worker, slabs.index.Hash(item->Key()), item);
  });
}

}  // namespace larder::slab
