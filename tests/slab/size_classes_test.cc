#include "slab/size_classes.h"

#include <catch2/catch.hpp>

#include "slab/cache_config.h"

namespace larder::slab {
namespace {

SizeClasses Uniform(uint32_t smallest_bytes, double factor, uint32_t granule_bytes) {
  const GrowthStep step{.up_to_bytes = kPageBytes, .factor = factor};
  return {smallest_bytes, std::span(&step, 1), kPageBytes, granule_bytes};
}

TEST_CASE("every size up to a page has a class that holds it, and the smallest such") {
  const SizeClasses classes = Uniform(80, 1.25, 8);
  for (uint32_t bytes = 1; bytes <= kPageBytes; bytes += 37) {
    const uint32_t id = classes.ClassFor(bytes);
    REQUIRE(id >= 1);
    REQUIRE(classes.ChunkBytes(id) >= bytes);
    if (id > 1) REQUIRE(classes.ChunkBytes(id - 1) < bytes);
  }
  CHECK(classes.ClassFor(kPageBytes) == classes.Count());
  CHECK(classes.ClassFor(kPageBytes + 1) == 0);
}

TEST_CASE("chunk sizes grow, are multiples of the granule and end at a whole page") {
  for (const double factor : {1.01, 1.08, 1.25, 2.0, 100.0}) {
    for (const uint32_t granule : {8U, 16U, 64U}) {
      const SizeClasses classes = Uniform(72, factor, granule);
      REQUIRE(classes.Count() <= SizeClasses::kClassCountMax);
      for (uint32_t id = 1; id <= classes.Count(); ++id) {
        REQUIRE(classes.ChunkBytes(id) % granule == 0);
        if (id > 1) REQUIRE(classes.ChunkBytes(id) > classes.ChunkBytes(id - 1));
      }
      CHECK(classes.ChunkBytes(1) >= 72);
      CHECK(classes.LargestBytes() == kPageBytes);
    }
  }
}

TEST_CASE("a page's tail is never large enough to widen its chunks") {
  const SizeClasses classes = Uniform(80, 1.25, 8);
  for (uint32_t id = 1; id <= classes.Count(); ++id) {
    const uint32_t per_page = kPageBytes / classes.ChunkBytes(id);
    const uint32_t tail = kPageBytes - per_page * classes.ChunkBytes(id);
    REQUIRE(tail < per_page * 8);
  }
}

TEST_CASE("a factor of 1.25 gives about as many classes as memcached has") {
  const SizeClasses classes = Uniform(80, 1.25, 8);
  CHECK(classes.Count() > 30);
  CHECK(classes.Count() < 50);
}

TEST_CASE("Larder's own steps are fine where items are small, and there are enough classes") {
  for (const uint32_t smallest : {32U, 64U, 72U, 128U}) {
    const SizeClasses classes(smallest, kOwnGrowth, kPageBytes, 8);
    for (uint32_t id = 2; id <= classes.Count(); ++id) {
      const uint32_t before = classes.ChunkBytes(id - 1);
      const uint32_t step = classes.ChunkBytes(id) - before;
      if (before <= 8192) CHECK(step <= std::max(8U, before / 6));
    }
    CHECK(classes.LargestBytes() == kPageBytes);
  }
}

}  // namespace
}  // namespace larder::slab
