// slab/cache_stats.h - what a Cache tells about itself.
//
// Units    bytes and counts as the names say; ages in seconds.
// Owner    a snapshot is a plain value. It is taken while others write, so figures of one
//          snapshot may differ by the operations that were under way.
// Not here memcached's key names and order: server/commands/stats_*.cc
#pragma once

#include <cstdint>
#include <vector>

namespace larder::slab {

// The class of large items, whose values are in no chunk, is told of in frames of memory: an item
// uses as many as its value takes, and a frame is chunk_bytes.
struct ClassStats {
  uint32_t class_id = 0;
  uint32_t chunk_bytes = 0;
  uint32_t chunks_per_page = 0;
  uint64_t page_count = 0;
  uint64_t chunk_count = 0;  // page_count * chunks_per_page
  uint64_t used_chunk_count = 0;
  uint64_t item_count = 0;       // linked items
  uint64_t probation_count = 0;  // of these, in the probation list
  uint64_t protected_count = 0;  // of these, in the protected list
  uint64_t requested_bytes = 0;  // sum of the linked items' sizes, without rounding
  uint32_t probation_age_s = 0;  // seconds since the oldest item of each list was last accessed
  uint32_t protected_age_s = 0;
  uint32_t age_s = 0;           // of the item that would go next
  uint32_t evicted_time_s = 0;  // seconds between last access and eviction of the latest victim
#define COUNTER(name) uint64_t name = 0;
#include "slab/class_counters.def"
#undef COUNTER
};

struct CacheStats {
  std::vector<ClassStats> classes;  // every configured class, by id from 1
#define COUNTER(name) uint64_t name = 0;
#include "slab/cache_counters.def"
#undef COUNTER
  ClassStats sum;  // the counters and item counts of all classes added up
  uint64_t limit_bytes = 0;
  uint64_t used_bytes = 0;         // of it: pages, index, ghost table, queues, extents
  uint64_t page_pool_count = 0;    // free pages that belong to no class
  uint64_t item_bytes = 0;         // memcached's `bytes`: linked items without rounding
  uint64_t page_bytes = 0;         // pages committed
  uint64_t extent_bytes = 0;       // for the values of large items
  uint64_t extent_idle_bytes = 0;  // of such that are gone, kept for the next
  uint64_t extent_record_bytes = 0;
  uint64_t room_waiting_count = 0;  // stores of very large values that wait for memory now
  uint64_t room_wait_count = 0;     // and that ever did
  uint64_t index_bytes = 0;         // committed for the index, overflow buckets included
  uint64_t ghost_bytes = 0;         // for the keys of items that were evicted unread
  uint64_t queue_bytes = 0;         // for the queues of items on probation, at their longest
  uint64_t hint_bytes = 0;          // for the sweeper: when what expires
  uint32_t index_power = 0;         // log2 of the main bucket count, rounded down
  bool index_wants_memory = false;  // growth was refused; a page is being given up for it
  uint64_t pages_moved = 0;         // pages taken from one class and given to another use
  uint64_t sweeper_freed = 0;       // items that the sweeper found expired or flushed
  uint64_t sweeper_visited = 0;     // stretches of 2 KiB that it has looked at
  uint64_t sweeper_us = 0;          // time it has taken
  uint64_t grace_wait_count = 0;    // stores that waited for readers to pass
  uint32_t flushed_before_s = 0;    // memcached's `oldest`: second of the last flush, 0 none
};

}  // namespace larder::slab
