// The promises about memory: no store is refused while something can be evicted, and the limit
// holds, for every mix of sizes and every limit.
#include <catch2/catch.hpp>

#include <random>

#include "cache_fixture.h"

namespace larder::slab {
namespace {

class FullCache : public OneUser {
 public:
  explicit FullCache(uint64_t limit_mib, bool evict = true)
      : OneUser(CacheConfig{.limit_bytes = limit_mib * kMiB, .evict = evict}) {}

  void RequireStored(uint64_t number, size_t value_bytes) {
    const auto result = user.TryStore(
        Numbered("key", number), std::string(value_bytes, static_cast<char>('a' + number % 26)));
    REQUIRE(result);
    REQUIRE(result->status == StoreStatus::kStored);
    if (number % 100 == 0) EndTurn();
  }
  // Background work gets its chance every turn, a second passes at every hundredth.
  void EndTurn() {
    user.BetweenTurns([this] {
      RequireLimit();
      cache->Maintain(In(0));
      if (++turns_ % 100 == 0) CacheFixture::Tick();
    });
  }
  void RequireLimit() {
    const CacheStats stats = cache->Stats();
    REQUIRE(stats.page_bytes + stats.index_bytes + stats.extent_bytes + stats.extent_idle_bytes <=
            stats.limit_bytes);
  }

 private:
  uint64_t turns_ = 0;
};

TEST_CASE("small values, then large ones, then small ones again: no store is refused") {
  const uint64_t limit_mib = GENERATE(as<uint64_t>{}, 8, 16, 64);
  FullCache cache(limit_mib);
  const uint64_t small_count = limit_mib * kMiB / 100;
  const uint64_t large_count = limit_mib * 5;
  uint64_t number = 0;
  for (int round = 0; round < 3; ++round) {
    for (uint64_t i = 0; i < small_count; ++i) cache.RequireStored(number++, 100);
    for (uint64_t i = 0; i < large_count; ++i) cache.RequireStored(number++, 500'000);
  }
  cache.RequireLimit();
}

TEST_CASE("any mix of sizes up to a page is stored in the smallest cache") {
  FullCache cache(8);
  std::mt19937_64 random(11);
  for (uint64_t number = 0; number < 20'000; ++number) {
    const uint64_t magnitude = uint64_t{1} << random() % 20;
    cache.RequireStored(number, magnitude + random() % magnitude - (magnitude >> 9));
  }
}

TEST_CASE("an item just stored is there, however full the cache is") {
  FullCache cache(8);
  std::mt19937_64 random(12);
  for (uint64_t number = 0; number < 5'000; ++number) {
    const size_t bytes = 1 + random() % 300'000;
    cache.RequireStored(number, bytes);
    REQUIRE(cache.user.Get(Numbered("key", number))->size() == bytes);
  }
}

TEST_CASE("a full cache has chunks ready, and stores do not wait for readers") {
  FullCache cache(64);
  const auto waits = [&] { return cache.cache->Stats().grace_wait_count; };
  uint64_t number = 0;
  while (number < 700'000) cache.RequireStored(number++, 100);
  REQUIRE(cache.cache->Stats().sum.evicted > 100'000);
  const uint64_t waits_before = waits();
  while (number < 800'000) cache.RequireStored(number++, 100);
  CHECK(waits() - waits_before < 20);

  const CacheUser reader(*cache.cache);  // in a turn of its own: nothing becomes free meanwhile
  const uint64_t waits_then = waits();
  for (const uint64_t end = number + 400; number < end; ++number) {
    REQUIRE(cache.user.TryStore(Numbered("key", number), std::string(100, 'v')));
  }
  CHECK(waits() == waits_then);
}

TEST_CASE("after a shift to small values memory follows, and the index gets its part of it") {
  FullCache cache(16);
  uint64_t number = 0;
  for (; number < 100; ++number) cache.RequireStored(number, 500'000);
  for (; number < 400'000; ++number) cache.RequireStored(number, 10);
  const CacheStats stats = cache.cache->Stats();
  CHECK(stats.sum.item_count > 100'000);
  const double entries_per_bucket = static_cast<double>(stats.sum.item_count) /
                                    static_cast<double>(uint64_t{1} << stats.index_power);
  CHECK(entries_per_bucket < 18.0);
}

TEST_CASE("what is read stays and what is not read goes") {
  FullCache cache(8);
  for (uint64_t i = 0; i < 1000; ++i) cache.RequireStored(i, 100);
  for (uint64_t number = 1000; number < 200'000; ++number) {
    cache.RequireStored(number, 100);
    // Read one of the first thousand for each of the others that goes by.
    cache.user.Get(Numbered("key", number % 1000));
  }
  uint64_t kept = 0;
  for (uint64_t i = 0; i < 1000; ++i) kept += cache.user.Has(Numbered("key", i)) ? 1 : 0;
  CHECK(kept > 950);
  CHECK(cache.cache->Stats().sum.evicted > 100'000);
}

TEST_CASE("with evictions off a full cache refuses stores and keeps every item") {
  FullCache cache(8, /*evict=*/false);
  uint64_t stored = 0;
  while (cache.user.TryStore(Numbered("key", stored), std::string(1000, 'x'))) ++stored;
  CHECK(stored > 5'000);
  for (uint64_t i = 0; i < stored; ++i) REQUIRE(cache.user.Has(Numbered("key", i)));
  const CacheStats stats = cache.cache->Stats();
  CHECK(stats.sum.evicted == 0);
  CHECK(stats.store_no_memory == 1);
  CHECK(stats.sum.outofmemory == 1);
  // Room made by a removal is found again.
  cache.user.Remove("key0");
  CHECK(cache.user.TryStore("new", std::string(1000, 'y')));
}

TEST_CASE("with evictions off expired items make room") {
  FullCache cache(8, /*evict=*/false);
  uint64_t stored = 0;
  while (cache.user.TryStore(Numbered("key", stored), std::string(1000, 'x'), StoreMode::kSet,
                             cache.In(5))) {
    ++stored;
  }
  cache.Tick(5);
  for (uint64_t i = 0; i < stored; ++i) {
    REQUIRE(cache.user.TryStore(Numbered("again", i), std::string(1000, 'x')));
  }
}

TEST_CASE("values under way are not evicted, and what they leave is used") {
  FullCache cache(8);
  std::vector<Reservation> under_way;
  for (int i = 0; i < 4; ++i) {
    under_way.push_back(cache.cache->Reserve(
        cache.user.worker(),
        {.key = Numbered("slow", static_cast<uint64_t>(i)), .value_bytes = 1'000'000}));
    REQUIRE(under_way.back());
    std::memset(under_way.back().Value().data(), 'A' + i, 1'000'000);
  }
  for (uint64_t number = 0; number < 2'000; ++number) cache.RequireStored(number, 50'000);
  for (int i = 0; i < 4; ++i) {
    for (const char c : under_way[static_cast<size_t>(i)].Value()) REQUIRE(c == 'A' + i);
    CHECK(cache.cache
              ->Commit(cache.user.worker(), std::move(under_way[static_cast<size_t>(i)]),
                       {.mode = StoreMode::kSet})
              .status == StoreStatus::kStored);
  }
}

TEST_CASE("values that wait over several turns take half the limit at most") {
  FullCache cache(16);
  std::vector<Reservation> waiting;
  bool refused = false;
  for (uint64_t i = 0; i < 20 && !refused; ++i) {
    Reservation next = cache.cache->Reserve(cache.user.worker(),
                                            {.key = Numbered("w", i), .value_bytes = 1'000'000});
    REQUIRE(next);
    refused = !cache.cache->KeepUnderWay(next);
    CHECK(static_cast<bool>(next) == !refused);
    if (!refused) waiting.push_back(std::move(next));
  }
  CHECK(refused);
  CHECK(waiting.size() == 8);
  CHECK(cache.cache->KeepUnderWay(waiting.back()));  // counted once
  for (uint64_t i = 0; i < 100; ++i) cache.RequireStored(i, 500'000);
  // Finished or given up, each makes room for another.
  CHECK(
      cache.cache->Commit(cache.user.worker(), std::move(waiting.back()), {.mode = StoreMode::kSet})
          .status == StoreStatus::kStored);
  waiting.pop_back();
  waiting.pop_back();
  for (int i = 0; i < 2; ++i) {
    waiting.push_back(
        cache.cache->Reserve(cache.user.worker(), {.key = "again", .value_bytes = 1'000'000}));
    CHECK(cache.cache->KeepUnderWay(waiting.back()));
  }
}

TEST_CASE("a store is refused only when every page is held by values under way") {
  FullCache cache(8);
  std::vector<Reservation> under_way;
  while (true) {
    Reservation next = cache.cache->Reserve(
        cache.user.worker(), {.key = Numbered("slow", under_way.size()), .value_bytes = 1'000'000});
    if (!next) break;
    under_way.push_back(std::move(next));
  }
  CHECK(under_way.size() == 7);
  under_way.pop_back();
  CHECK(cache.cache->Reserve(cache.user.worker(), {.key = "x", .value_bytes = 1'000'000}));
}

TEST_CASE("what an idle worker holds is not lost to the others") {
  CacheFixture fixture(CacheConfig{.limit_bytes = 3 * kMiB});
  CacheUser active(*fixture.cache);
  const std::string huge(1'000'000, 'h');
  {
    CacheUser idle(*fixture.cache);
    // Both pages' chunks end in the idle worker's limbo.
    idle.Set("a", huge);
    idle.Set("b", huge);
    idle.Remove("a");
    idle.Remove("b");
  }
  CHECK(active.Set("c", huge) == StoreStatus::kStored);
  CHECK(active.Set("d", huge) == StoreStatus::kStored);
  CHECK(active.Has("c"));
}

TEST_CASE("many values lent to sockets that do not read leave room for everybody else") {
  FullCache cache(100);
  std::vector<Pin> pins;
  for (uint64_t i = 0; i < 70; ++i) {
    // Two to a page: the pinned one and one that can go.
    cache.RequireStored(1000 + i, 450'000);
    pins.push_back(
        cache.cache->PinValue(cache.cache->Get(cache.user.worker(), Numbered("key", 1000 + i))));
    cache.RequireStored(2000 + i, 450'000);
  }
  for (uint64_t i = 0; i < 200; ++i) cache.RequireStored(3000 + i, 450'000);
  const uint64_t items_before = cache.cache->Stats().sum.item_count;
  for (uint64_t i = 0; i < 100; ++i) cache.RequireStored(i, 100);
  // A page or two changed hands for it; no more was thrown away than it held.
  CHECK(cache.cache->Stats().sum.item_count + 10 > items_before);
  for (Pin& pin : pins) pin.Release();
}

TEST_CASE("an idle class keeps its last page when others need memory") {
  FullCache cache(8);
  for (uint64_t i = 0; i < 6; ++i) cache.RequireStored(i, 60'000);
  cache.user.BetweenTurns([&] { cache.CacheFixture::Tick(60); });
  for (uint64_t i = 1000; i < 200'000; ++i) cache.RequireStored(i, 100);
  uint64_t kept = 0;
  for (uint64_t i = 0; i < 6; ++i) kept += cache.user.Has(Numbered("key", i)) ? 1 : 0;
  CHECK(kept > 0);
  CHECK(cache.cache->Stats().pages_moved > 0);
}

}  // namespace
}  // namespace larder::slab
