// slab/hash_index_walk.cc - what is in a bucket, for those who go through all of them.
#include <bit>

#include "slab/bucket_ops.h"
#include "slab/hash_index.h"

namespace larder::slab {

void HashIndex::CollectChain(const Bucket& main, std::vector<Item*>& items) const {
  const Bucket* bucket = &main;
  while (true) {
    for (SlotMask used = MatchUsed(*bucket); !used.Empty(); used.Next()) {
      // Relaxed: under the stripe's lock nobody else writes the slot, and the lock's owner before
      // us published the item.
      const Handle handle = bucket->handles[used.Position()].load(std::memory_order_relaxed);
      items.push_back(ItemAt(handle));
    }
    const uint32_t link = bucket->Link();
    if (link == 0) return;
    bucket = &OverflowBucket(link);
  }
}

void HashIndex::CollectFamily(uint64_t number, uint64_t bucket_count,
                              std::vector<Item*>& items) const {
  // Bucket numbers of a family agree in their low bits, and stripes are chosen by those.
  const MutexLock lock(StripeOf(number));
  // Relaxed: a split of this family publishes its new count under the stripe's lock.
  const uint64_t bucket_count_now = bucket_count_.load(std::memory_order_relaxed);
  CollectChain(MainBucket(number), items);
  // Bucket n is split off bucket n - 2^floor(log2 n). So the children of a bucket are found by
  // adding every power of two above it; those below `bucket_count` are visited for themselves.
  std::vector<uint64_t> parents{number};
  while (!parents.empty()) {
    const uint64_t parent = parents.back();
    parents.pop_back();
    for (uint64_t step = std::bit_ceil(parent + 1); parent + step < bucket_count_now; step *= 2) {
      const uint64_t child = parent + step;
      if (child < bucket_count) continue;
      CollectChain(MainBucket(child), items);
      parents.push_back(child);
    }
  }
}

}  // namespace larder::slab
