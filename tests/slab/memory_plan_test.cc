// Where the memory goes: as planned, and as it comes.
#include "slab/memory_plan.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "cache_fixture.h"

namespace larder::slab {
namespace {

TEST_CASE("what the parts of the memory take adds up to what is used") {
  OneUser cache(CacheConfig{.limit_bytes = 32 * kMiB});
  const auto require_sum = [&cache] {
    const CacheStats stats = cache.cache->Stats();
    REQUIRE(stats.page_bytes + stats.index_bytes + stats.ghost_bytes + stats.queue_bytes +
                stats.hint_bytes + stats.extent_bytes + stats.extent_idle_bytes +
                stats.extent_record_bytes ==
            stats.used_bytes);
  };
  require_sum();
  uint64_t number = 0;
  for (int round = 0; round < 40; ++round) {
    for (int i = 0; i < 10'000; ++i) {
      cache.user.Set(Numbered("key", number++), "value", cache.In(5));
      if (i % 1'000 == 0) cache.user.NextTurn();
    }
    cache.user.Set(Numbered("large", number), std::string(200'000, 'x'));
    cache.Tick();
    require_sum();
  }
}

TEST_CASE("the parts of each class's plan add up to the limit") {
  const uint64_t limit_mib = GENERATE(as<uint64_t>{}, 8, 64, 1024, 100 * 1024);
  const MemoryPlan plan = PlanMemory({.limit_bytes = limit_mib * kMiB});
  REQUIRE(plan.classes.size() > 10);
  for (const ClassPlan& one : plan.classes) {
    CAPTURE(one.chunk_bytes);
    CHECK(one.page_bytes + one.index_bytes + one.ghost_bytes + one.queue_bytes + one.hint_bytes +
              one.spare_bytes ==
          plan.limit_bytes);
    CHECK(one.item_count == one.page_bytes / kPageBytes * (kPageBytes / one.chunk_bytes));
  }
}

TEST_CASE("a full cache holds about as many items as were planned") {
  const CacheConfig config{.limit_bytes = 64 * kMiB};
  const MemoryPlan plan = PlanMemory(config);
  OneUser cache(config);
  for (uint64_t number = 0; number < 900'000; ++number) {
    cache.user.Set(Numbered("key", number), std::string(50, 'v'));
    if (number % 1'000 == 0) cache.Maintain();
  }
  const CacheStats stats = cache.cache->Stats();
  REQUIRE(stats.sum.evicted > 0);
  const auto largest = std::max_element(stats.classes.begin(), stats.classes.end(),
                                        [](const ClassStats& one, const ClassStats& other) {
                                          return one.item_count < other.item_count;
                                        });
  const uint64_t planned = plan.classes[largest->class_id - 1].item_count;
  CAPTURE(planned, stats.sum.item_count);
  CHECK(stats.sum.item_count > planned / 100 * 94);
  CHECK(stats.sum.item_count < planned / 100 * 106);
}

}  // namespace
}  // namespace larder::slab
