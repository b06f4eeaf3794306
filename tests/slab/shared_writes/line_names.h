// tests/slab/shared_writes/line_names.h - what of the engine lies in a cache line.
//
// Threads  none: asked while nobody changes the cache.
#pragma once

#include <string_view>
#include <vector>

#include "slab/cache.h"
#include "tests/slab/shared_writes/memory_trace.h"

namespace larder::slab {

// Kinds of lines, in the order of the table's columns.
enum class LineKind : uint8_t {
  kStripe,
  kBucket,
  kItem,  // and chunks on their way
  kGhost,
  kCas,
  kClass,  // mutex, free list, pages, hand; and the queue of probation
  kPage,   // who has it, how many of its chunks are free
  kHint,
  kEpoch,
  kGrowth,        // the number of buckets, overflow buckets
  kAnnouncement,  // written by one worker, read by whoever advances the epoch
  kElsewhere,     // touched by several workers and none of the above: probation's queue, mostly
  kOwn,           // what a worker has to itself
};
inline constexpr size_t kSharedKindCount = static_cast<size_t>(LineKind::kOwn);
std::string_view NameOf(LineKind kind);

class LineNames {
 public:
  LineNames(Cache& cache, const std::vector<Worker*>& workers);
  [[nodiscard]] LineKind KindOf(Line line) const;

 private:
  struct Range {
    Line begin;
    Line end;
    LineKind kind;
  };
  void Add(const void* begin, uint64_t bytes, LineKind kind);

  std::vector<Range> ranges_;
};

}  // namespace larder::slab
