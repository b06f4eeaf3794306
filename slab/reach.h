// slab/reach.h - how far the limit can be raised while serving.
//
// Address space costs nothing until it is touched, so a cache takes more of it than its limit asks
// for: what 32-bit handles of 8-byte granules can name. Where the system does not grant that (an
// address space limit, strict overcommit), the limit it starts with is the highest there will be.
//
// Units    bytes.
// Threads  once, before the cache serves.
#pragma once

#include <cstdint>

#include "slab/cache_config.h"
#include "slab/hash_index.h"
#include "slab/mapping.h"

namespace larder::slab {

inline constexpr uint64_t kReachBytesMax = (uint64_t{32} * 1024 - 1) * kMiB;

// The address space for the pages of a cache that starts with this limit. The index takes its part
// beside it.
[[nodiscard]] inline uint64_t ReachFor(uint64_t limit_bytes) {
  if (limit_bytes >= kReachBytesMax) return limit_bytes;
  constexpr uint64_t kTrialBytes = kReachBytesMax + 2 * (kReachBytesMax / HashIndex::kArenaPart);
  const Mapping trial = Mapping::Reserve(kTrialBytes, kPageBytes);
  return trial.Begin() != nullptr ? kReachBytesMax : limit_bytes;
}

}  // namespace larder::slab
