// slab/cache_config.h - what a Cache is built from.
//
// Units    bytes and counts as the names say.
// Errors   Validate() returns a sentence for the operator, or an empty string when all is well.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace larder::slab {

class EventSink;  // event_sink.h

inline constexpr uint64_t kMiB = 1024 * 1024;
// Small, so that even small caches have several pages for each slab class, and that a page that
// changes hands is emptied in a quarter of a millisecond. At -m 16 and mixed sizes, pages of 1 MiB
// went round between the classes without end: 99 % of requests missed, where 33 % do now.
inline constexpr uint32_t kPageBytes = 256 * 1024;
inline constexpr uint32_t kItemBytesMax = 1024 * kMiB;
// A page for items, and room for the index.
inline constexpr uint64_t kLimitBytesMin = 2 * kMiB;

struct CacheConfig {
  // Everything that grows with the items stays within this: pages and index together (-m).
  uint64_t limit_bytes = 64 * kMiB;
  // Off (-M): a store into a full cache is refused instead of evicting.
  bool evict = true;
  // Off (-C): items carry no CAS id and save eight bytes each.
  bool use_cas = true;
  // Ratio between the chunk sizes of neighbouring slab classes (-f), 0 for Larder's own, finer
  // steps (size_classes.h), and the room for key and value that the smallest class offers (-n).
  double growth_factor = 0;
  uint32_t smallest_item_bytes = 48;
  // Largest item that clients may store (-I). Whoever takes the request holds it against this, in
  // memcached's arithmetic; the engine itself holds its own items against this or 1 MiB, whichever
  // is more: the sums of append and prepend.
  uint32_t item_bytes_max = kMiB;
  // Take the memory of the pages at start, all but the index's part, in huge pages (-L).
  bool preallocate = false;
  // Chunk sizes asked for one by one (-o slab_sizes) instead of by growth; a class of the largest
  // chunk follows them. Ascending.
  std::vector<uint32_t> chunk_sizes = {};
  // Off: pages stay with their class until a class without any needs one.
  bool rebalance = true;
  // Parts in which expired items are looked for, each to be swept by a thread of its own.
  uint32_t sweeper_count = 1;
  // Null: nobody watches. Outlives the cache.
  EventSink* events = nullptr;
  // Seed of the key hash; 0 draws one from the system, which is what a server wants.
  uint64_t hash_seed = 0;

  [[nodiscard]] std::string Validate() const;
};

}  // namespace larder::slab
