// The earliest expiry of each stretch of the arena, in 16 bits.
#include "slab/expiry_hints.h"

#include <catch2/catch.hpp>
#include <vector>

#include "slab/clock.h"

namespace larder::slab {
namespace {

class Hints {
 public:
  // Those that are due at `second`; they are forgotten.
  std::vector<RegionId> TakeDue(uint32_t second) {
    std::vector<RegionId> due;
    for (RegionId first = 0; first < kRegions; first += ExpiryHints::kRegionsPerWord) {
      hints_.TakeDue(first, second, [&](RegionId region) { due.push_back(region); });
    }
    return due;
  }
  void Note(RegionId region, uint32_t expires_s) { hints_.Note(region, expires_s, now_s); }
  void Clear(RegionId region) { hints_.Clear(region); }

  uint32_t now_s = Clock::kFirstSecond;

 private:
  static constexpr RegionId kRegions = 16;
  PageArena arena_{kPageBytes};
  ExpiryHints hints_{arena_};
};

using Regions = std::vector<RegionId>;

TEST_CASE_METHOD(Hints, "a region is due from its earliest expiry on, and once") {
  Note(3, 100);
  Note(3, 90);
  Note(3, 95);
  CHECK(TakeDue(89).empty());
  CHECK(TakeDue(90) == Regions{3});
  CHECK(TakeDue(1'000).empty());
}

TEST_CASE_METHOD(Hints, "regions that share a word know nothing of each other") {
  Note(4, 100);
  Note(5, 101);
  Note(6, 100 + ExpiryHints::kAheadS / 2);
  Clear(4);
  Note(7, 99);
  CHECK(TakeDue(100) == Regions{7});
  CHECK(TakeDue(101) == Regions{5});
  CHECK(TakeDue(99 + ExpiryHints::kAheadS / 2).empty());
  CHECK(TakeDue(100 + ExpiryHints::kAheadS / 2) == Regions{6});
}

TEST_CASE_METHOD(Hints, "no second is taken for none, nor for one of another turn of the 16 bits") {
  for (uint32_t turn = 1; turn < 4; ++turn) {
    const uint32_t turn_s = turn << 16;
    for (uint32_t second = turn_s - 3; second <= turn_s + 3; ++second) {
      now_s = second - 2;
      Note(0, second);
      Note(1, second + 5);
      REQUIRE(TakeDue(second - 2).empty());
      REQUIRE(TakeDue(second) == Regions{0});
      REQUIRE(TakeDue(second + 5) == Regions{1});
    }
  }
}

TEST_CASE_METHOD(Hints, "what expires in days is looked at in between, and never too late") {
  now_s = 50'000;
  Note(2, now_s + 1'000'000);
  Note(2, 0xFFFF'FFFF);
  CHECK(TakeDue(now_s + ExpiryHints::kAheadS - 2).empty());
  CHECK(TakeDue(now_s + ExpiryHints::kAheadS) == Regions{2});
}

}  // namespace
}  // namespace larder::slab
