// slab/size_classes.h - the table of chunk sizes: which slab class an item of a given size takes.
//
// Sizes grow by a factor from the smallest: the one asked for, or else by Larder's own steps, small
// ones where items are small and many, larger ones where they are few. Each is then widened to the
// largest size of which as many chunks fit a page, so that no page has an unused tail that could
// have been room in its chunks: at the large end, where a page holds a handful of chunks, this is
// 1/16, 1/18, 1/20 of a page instead of powers of the factor. What is too large for the last class
// is in an extent (extent_area.h), or there is none, and the last class is a whole page.
//
// Why steps    The mean loss to rounding is about half a step. With log-normal values (median
//              230 B, sigma 1.3, 25-byte keys) the 34 classes of factor 1.25 lose 12 % of what is
//              asked for, the 54 of the steps below 6.6 %.
// Why few      Each class in use has at least a page. With nearly as many classes as pages, values
//              of every size take the pages from each other: see kSmallLimits.
// Units    bytes; class ids from 1, as in memcached's statistics. 0 means none.
// Threads  immutable after construction.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "slab/cache_config.h"

namespace larder::slab {

// Chunks of up to `up_to_bytes` are followed by ones larger by `factor`.
struct GrowthStep {
  uint32_t up_to_bytes = 0;
  double factor = 0;
};

// The last step's factor goes on to the largest chunk.
inline constexpr std::array<GrowthStep, 3> kOwnGrowth{
    {{256, 1.08}, {8 * 1024, 1.125}, {64 * 1024, 1.16}}};

// Caches of few pages have few classes instead. Misses of the benchmark's mixed sizes, at 8 MiB: 47
// % with a factor of 1.25, 41 % with 1.5, 43 % with 2; at 16 MiB: 34 %, 33 % and 33 %
// with 1.125, 1.25 and 1.5; at 24 MiB: 28 %, 29 % and 29 %.
struct SmallLimit {
  uint64_t below_bytes = 0;
  double factor = 0;
};
inline constexpr std::array<SmallLimit, 2> kSmallLimits{{{12 * kMiB, 1.5}, {20 * kMiB, 1.25}}};

// The steps for a factor that was asked for, or for 0 those that the limit has.
[[nodiscard]] std::vector<GrowthStep> GrowthFor(double factor, uint64_t limit_bytes);

class SizeClasses {
 public:
  // memcached's bound: six bits of its class id, less the page pool's own.
  static constexpr uint32_t kClassCountMax = 63;
  // Of these for chunks of items: the heads of large items have a class of their own.
  static constexpr uint32_t kSizeCountMax = kClassCountMax - 1;

  // `smallest_bytes`: chunk size of class 1. `growth`: at least one step. `granule_bytes`: every
  // chunk size is a multiple of it, and a power of two, 8 or more. `largest_bytes`: no chunk larger
  // than what holds this much.
  SizeClasses(uint32_t smallest_bytes, std::span<const GrowthStep> growth, uint32_t largest_bytes,
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
  [[nodiscard]] uint32_t ClassFor(uint64_t bytes) const {
    const uint64_t unit = (bytes + kUnitBytes - 1) / kUnitBytes;
    return unit < by_unit_.size() ? by_unit_[unit] : Search(bytes);
  }

 private:
  // Every chunk size is a multiple of it, as it is of the granule.
  static constexpr uint32_t kUnitBytes = 8;
  // Most items are small: their class is looked up, not searched for.
  static constexpr uint32_t kLookedUpBytesMax = 2048;

  [[nodiscard]] uint32_t Search(uint64_t bytes) const;
  void FillTable();

  std::array<uint32_t, kSizeCountMax + 1> chunk_bytes_{};
  uint32_t count_ = 0;
  std::array<uint8_t, kLookedUpBytesMax / kUnitBytes + 1> by_unit_{};  // class by units, rounded up
};

}  // namespace larder::slab
