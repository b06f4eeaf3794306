#include "slab/ghost.h"

#include <catch2/catch.hpp>

#include <random>
#include <vector>

#include "slab/cache_config.h"

namespace larder::slab {
namespace {

std::vector<uint64_t> Hashes(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint64_t> hashes(count);
  for (uint64_t& hash : hashes) hash = random();
  return hashes;
}

TEST_CASE("a key that was evicted lately is known once") {
  MemoryBudget budget(kMiB);
  Ghost ghost(budget, kMiB);
  REQUIRE(ghost.IsReady());
  for (const uint64_t hash : Hashes(1000, 1)) {
    ghost.RememberLocked(hash);
    CHECK(ghost.TakeLocked(hash));
    CHECK_FALSE(ghost.TakeLocked(hash));
  }
}

TEST_CASE("about as many of the latest are remembered as there are places, and few strangers") {
  MemoryBudget budget(kMiB);
  Ghost ghost(budget, kMiB);
  const std::vector<uint64_t> evicted = Hashes(200'000, 2);
  for (const uint64_t hash : evicted) ghost.RememberLocked(hash);
  size_t known = 0;
  constexpr size_t kLatest = 20'000;  // of 31,744 places
  for (size_t i = evicted.size() - kLatest; i < evicted.size(); ++i) {
    known += ghost.TakeLocked(evicted[i]) ? 1 : 0;
  }
  CHECK(known > kLatest * 9 / 10);
  size_t strangers = 0;
  for (const uint64_t hash : Hashes(10'000, 3)) strangers += ghost.TakeLocked(hash) ? 1 : 0;
  CHECK(strangers < 30);
}

TEST_CASE("it grows with the items, charges what it takes, and forgets half at most") {
  MemoryBudget budget(kMiB);
  Ghost ghost(budget, kMiB);
  const uint64_t bytes = ghost.Bytes();
  CHECK(budget.UsedBytes() == bytes);
  ghost.SetItemCount(10'000);
  CHECK_FALSE(ghost.IsSmall());
  ghost.SetItemCount(100'000);
  REQUIRE(ghost.IsSmall());
  const std::vector<uint64_t> evicted = Hashes(10'000, 4);
  for (const uint64_t hash : evicted) ghost.RememberLocked(hash);
  REQUIRE(ghost.Grow());
  CHECK(ghost.Bytes() == 2 * bytes);
  CHECK(budget.UsedBytes() == 2 * bytes);
  size_t known = 0;
  for (const uint64_t hash : evicted) known += ghost.TakeLocked(hash) ? 1 : 0;
  CHECK(known > 4'000);
}

TEST_CASE("without memory, or at the end of its address space, it stays as it is") {
  MemoryBudget budget(100 * 1024);
  Ghost ghost(budget, kMiB);
  const uint64_t bytes = ghost.Bytes();
  CHECK_FALSE(ghost.Grow());
  CHECK(ghost.Bytes() == bytes);
  CHECK(budget.UsedBytes() == bytes);
  MemoryBudget ample(kMiB);
  Ghost small(ample, 64 * 1024);
  small.SetItemCount(1'000'000'000);
  CHECK_FALSE(small.IsSmall());
}

TEST_CASE("where items have become few, only the latest to leave are known") {
  MemoryBudget budget(kMiB);
  Ghost ghost(budget, kMiB);
  const std::vector<uint64_t> evicted = Hashes(30'000, 5);
  for (const uint64_t hash : evicted) ghost.RememberLocked(hash);
  ghost.SetItemCount(6'000);
  size_t early = 0;
  for (size_t i = 0; i < 20'000; ++i) early += ghost.TakeLocked(evicted[i]) ? 1 : 0;
  CHECK(early < 200);
  size_t late = 0;
  for (size_t i = 29'000; i < 30'000; ++i) late += ghost.TakeLocked(evicted[i]) ? 1 : 0;
  CHECK(late > 800);
}

}  // namespace
}  // namespace larder::slab
