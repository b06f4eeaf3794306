#include "slab/memory_plan.h"

#include <algorithm>
#include <bit>

#include "slab/expiry_hints.h"
#include "slab/hash_index.h"
#include "slab/lru.h"
#include "slab/slab_set.h"

namespace larder::slab {

namespace {

constexpr uint64_t kIndexBytesMin = 64 * 1024;
constexpr uint64_t kGhostBytesMin = 64 * 1024;

// 64 bytes for 8.5 entries, and about one more byte an item for buckets that overflow.
uint64_t IndexBytesFor(uint64_t item_count) {
  return std::max(kIndexBytesMin, item_count * 85 / 10);
}

// A line of 64 bytes for 31 to 62 items, as the table doubles; at most a 32nd of the limit.
uint64_t GhostBytesFor(uint64_t item_count, uint64_t limit_bytes) {
  const uint64_t wanted = std::bit_floor(std::max<uint64_t>(item_count / 31, 1)) * 64;
  return std::clamp(wanted, kGhostBytesMin,
                    std::max(kGhostBytesMin, std::bit_floor(limit_bytes / SlabSet::kGhostPart)));
}

ClassPlan PlanPages(const CacheConfig& config, uint32_t chunk_bytes, uint64_t page_count) {
  const uint32_t chunks_per_page = kPageBytes / chunk_bytes;
  ClassPlan plan;
  plan.chunk_bytes = chunk_bytes;
  plan.item_count = page_count * chunks_per_page;
  plan.page_bytes = page_count * kPageBytes;
  plan.index_bytes = IndexBytesFor(plan.item_count);
  plan.ghost_bytes =
      config.evict ? GhostBytesFor(plan.item_count, config.limit_bytes) : kGhostBytesMin;
  plan.queue_bytes = page_count * Lru::QueueBytesPerPage(chunks_per_page);
  plan.hint_bytes = page_count * ExpiryHints::kBytesPerPage;
  return plan;
}

uint64_t UsedBytes(const ClassPlan& plan) {
  return plan.page_bytes + plan.index_bytes + plan.ghost_bytes + plan.queue_bytes + plan.hint_bytes;
}

// With as many pages as fit beside what they bring with them.
ClassPlan PlanClass(const CacheConfig& config, uint32_t chunk_bytes) {
  uint64_t fitting = 0;
  uint64_t too_many = config.limit_bytes / kPageBytes + 1;
  while (too_many - fitting > 1) {
    const uint64_t middle = fitting + (too_many - fitting) / 2;
    const bool fits = UsedBytes(PlanPages(config, chunk_bytes, middle)) <= config.limit_bytes;
    (fits ? fitting : too_many) = middle;
  }
  ClassPlan plan = PlanPages(config, chunk_bytes, fitting);
  plan.spare_bytes = config.limit_bytes - std::min(config.limit_bytes, UsedBytes(plan));
  return plan;
}

}  // namespace

MemoryPlan PlanMemory(const CacheConfig& config) {
  constexpr uint32_t kGranuleBytes = 8;
  MemoryPlan plan;
  plan.limit_bytes = config.limit_bytes;
  plan.limit_bytes_min = kLimitBytesMin;
  plan.page_bytes = kPageBytes;
  plan.item_header_bytes = static_cast<uint32_t>(Item::BytesFor(0, 0, false, config.use_cas));
  const SizeClasses sizes = SlabSet::MakeSizes(config, kGranuleBytes);
  plan.chunk_bytes_max = sizes.LargestBytes();
  for (uint32_t id = 1; id <= sizes.Count(); ++id) {
    plan.classes.push_back(PlanClass(config, sizes.ChunkBytes(id)));
    plan.classes.back().class_id = id;
  }
  return plan;
}

}  // namespace larder::slab
