// slab/memory_plan.h - what a cache of a given configuration will do with its memory, told before
// there is one.
//
// Units    bytes and counts as the names say.
// Threads  a pure function.
// Not here what is there at run time: cache_stats.h
#pragma once

#include <cstdint>
#include <vector>

#include "slab/cache_config.h"

namespace larder::slab {

// What the limit is divided into when nothing but items of one slab class is stored.
struct ClassPlan {
  uint32_t class_id = 0;
  uint32_t chunk_bytes = 0;
  uint64_t item_count = 0;
  uint64_t page_bytes = 0;
  uint64_t index_bytes = 0;
  uint64_t ghost_bytes = 0;
  uint64_t queue_bytes = 0;  // of items on probation
  uint64_t hint_bytes = 0;   // the sweeper's
  uint64_t spare_bytes = 0;  // too little for another page
};

struct MemoryPlan {
  uint64_t limit_bytes = 0;
  uint64_t limit_bytes_min = 0;
  uint32_t page_bytes = 0;
  uint32_t item_header_bytes = 0;  // beside key and value
  uint32_t chunk_bytes_max = 0;    // below a page: what does not fit takes frames of memory
  std::vector<ClassPlan> classes;  // by id from 1; the parts of each sum up to the limit
};

// REQUIRES: config.Validate() finds nothing wrong.
[[nodiscard]] MemoryPlan PlanMemory(const CacheConfig& config);

}  // namespace larder::slab
