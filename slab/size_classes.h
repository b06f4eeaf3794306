// slab/size_classes.h - the table of chunk sizes: which slab class an item of a given size takes.
//
// Sizes grow by the configured factor from the smallest. Each is then widened to the largest size
// of which as many chunks fit a page, so that no page has an unused tail that could have been
// room in its chunks: at the large end, where a page holds a handful of chunks, this is 1/2, 1/3,
// 1/4 of a page instead of powers of the factor. The last class is a whole page.
//
// Units    bytes; class ids from 1, as in memcached's statistics. 0 means none.
// Threads  immutable after construction.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace larder::slab {

class SizeClasses {
 public:
  // memcached's bound: six bits of its class id, less the page pool's own.
  static constexpr uint32_t kClassCountMax = 63;

  // `smallest_bytes`: chunk size of class 1. `granule_bytes`: every chunk size is a multiple of
  // it, and a power of two. `largest_bytes`: no chunk larger than what holds this much.
  SizeClasses(uint32_t smallest_bytes, double factor, uint32_t largest_bytes,
              uint32_t granule_bytes);

  // Explicit sizes, ascending, rounded up to granules and otherwise taken as they are; a class of
  // `largest_bytes` follows them.
  SizeClasses(std::span<const uint32_t> chunk_sizes, uint32_t largest_bytes,
              uint32_t granule_bytes);

  [[nodiscard]] uint32_t Count() const { return count_; }
  // REQUIRES: 1 <= class_id <= Count()
  [[nodiscard]] uint32_t ChunkBytes(uint32_t class_id) const { return chunk_bytes_[class_id]; }
  [[nodiscard]] uint32_t LargestBytes() const { return chunk_bytes_[count_]; }
  // The smallest class that holds `bytes`, 0 when none does.
  [[nodiscard]] uint32_t ClassFor(uint64_t bytes) const;

 private:
  std::array<uint32_t, kClassCountMax + 1> chunk_bytes_{};
  uint32_t count_ = 0;
};

}  // namespace larder::slab
