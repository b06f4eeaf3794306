// What has expired or was flushed is freed though nobody asks for it, and nothing else is looked
// at.
#include "slab/sweeper.h"

#include <catch2/catch.hpp>

#include "cache_fixture.h"

namespace larder::slab {
namespace {

constexpr uint32_t kPatienceS = 10;  // the promise: freed this long after its time

class SweptCache : public OneUser {
 public:
  explicit SweptCache(const CacheConfig& config = {}) : OneUser(config) {}

  void StoreMany(uint64_t count, uint32_t expires_s) {
    for (uint64_t i = 0; i < count; ++i) {
      user.Set(Numbered("key", next_++), "value", expires_s);
      if (i % 1'000 == 0) user.NextTurn();
    }
  }
  // The ticks of the server between two seconds.
  void MaintainUntilSwept() {
    uint64_t freed_before = 0;
    do {
      freed_before = cache->Stats().sweeper_freed;
      Maintain();
    } while (cache->Stats().sweeper_freed != freed_before);
  }
  uint64_t ItemCount() { return cache->Stats().sum.item_count; }
  uint64_t Visited() { return cache->Stats().sweeper_visited; }

 private:
  uint64_t next_ = 0;
};

TEST_CASE_METHOD(SweptCache, "expired items are freed though nobody asks for them") {
  StoreMany(20'000, In(5));
  StoreMany(10, In(1'000));
  StoreMany(10, kNeverExpires);
  Tick(4);
  CHECK(ItemCount() == 20'020);
  Tick(1 + kPatienceS);
  MaintainUntilSwept();
  const CacheStats stats = cache->Stats();
  CHECK(stats.sum.item_count == 20);
  CHECK(stats.sweeper_freed == 20'000);
  CHECK(stats.sum.crawler_reclaimed == 20'000);
  CHECK(stats.sum.expired_unfetched == 20'000);
  CHECK(stats.sum.evicted == 0);
  CHECK(stats.get_expired == 0);
}

TEST_CASE_METHOD(SweptCache, "items that were read before they expired are told from the others") {
  StoreMany(10, In(2));
  REQUIRE(user.Has("key3"));
  REQUIRE(user.Has("key4"));
  Tick(2 + kPatienceS);
  CHECK(cache->Stats().sum.crawler_reclaimed == 10);
  CHECK(cache->Stats().sum.expired_unfetched == 8);
}

TEST_CASE_METHOD(SweptCache, "the memory of expired items is used again without an eviction") {
  StoreMany(100, In(1));
  const uint64_t page_bytes = cache->Stats().page_bytes;
  for (int round = 0; round < 50; ++round) {
    Tick(1 + kPatienceS);
    StoreMany(15'000, In(1));
  }
  CHECK(cache->Stats().page_bytes <= page_bytes + 2 * kMiB);
}

TEST_CASE_METHOD(SweptCache, "what is expired lies about for a moment where there is room") {
  StoreMany(1'000, In(1));
  Tick(2);
  CHECK(ItemCount() == 1'000);
  Tick(2);
  CHECK(ItemCount() == 0);
}

TEST_CASE("where memory is scarce what expired is freed as soon as its second has come") {
  SweptCache cache(CacheConfig{.limit_bytes = 4 * kMiB});
  cache.StoreMany(1'000, cache.In(20));
  while (cache.cache->Stats().sum.evicted == 0) cache.StoreMany(1'000, kNeverExpires);
  cache.StoreMany(1'000, cache.In(1));
  const uint64_t before = cache.cache->Stats().sweeper_freed;
  cache.Tick(1);
  cache.Maintain();
  CHECK(cache.cache->Stats().sweeper_freed >= before + 900);
}

TEST_CASE_METHOD(SweptCache, "what never expires, or not soon, is never looked at") {
  StoreMany(50'000, kNeverExpires);
  StoreMany(50'000, In(100'000));
  Tick(100);
  CHECK(Visited() == 0);
}

TEST_CASE_METHOD(SweptCache, "one that expires costs a look at what lies beside it and no more") {
  StoreMany(50'000, kNeverExpires);
  user.Set("short-lived", "value", In(1));
  StoreMany(50'000, kNeverExpires);
  Tick(100);
  CHECK(ItemCount() == 100'000);
  CHECK(Visited() == 1);
}

TEST_CASE_METHOD(SweptCache, "an item that is touched in time stays, and goes at its new time") {
  StoreMany(100, In(3));
  Tick(2);
  REQUIRE(user.Touch("key7", In(50)));
  REQUIRE(user.Touch("key8", kNeverExpires));
  Tick(1 + kPatienceS);
  CHECK(ItemCount() == 2);
  CHECK(user.Has("key7"));
  Tick(50);
  CHECK(ItemCount() == 1);
  CHECK(user.Has("key8"));
}

TEST_CASE_METHOD(SweptCache, "an expiry that a touch brings forward is noticed") {
  StoreMany(100, kNeverExpires);
  StoreMany(100, In(1'000));
  Tick(20);
  REQUIRE(user.Touch("key7", In(1)));
  REQUIRE(user.Touch("key107", In(1)));
  REQUIRE(cache->Invalidate(user.worker(), "key108", {.expires_s = In(1)}) ==
          RemoveStatus::kRemoved);
  Tick(1 + kPatienceS);
  CHECK(ItemCount() == 197);
}

TEST_CASE_METHOD(SweptCache, "an expiry that a change of the item keeps or brings is noticed") {
  user.Set("appended", "1", In(5));
  user.Set("counted", "1", In(5));
  user.Set("replaced", "1", kNeverExpires);
  user.Store(StoreMode::kAppend, "appended", std::string(1'000, 'x'));
  user.Add("counted", 1);
  user.Set("replaced", "2", In(5));
  Tick(4);
  CHECK(ItemCount() == 3);
  Tick(1 + kPatienceS);
  CHECK(ItemCount() == 0);
}

TEST_CASE_METHOD(SweptCache, "items that expire one after the other all go in time") {
  constexpr uint32_t kLifetimesS = 40;
  for (uint32_t life_s = 1; life_s <= kLifetimesS; ++life_s) StoreMany(500, In(life_s));
  for (uint32_t second = 1; second <= kLifetimesS + kPatienceS; ++second) {
    Tick();
    MaintainUntilSwept();
    const uint32_t overdue = second > kPatienceS ? second - kPatienceS : 0;
    REQUIRE(ItemCount() <= 500 * uint64_t{kLifetimesS - overdue});
    if (second < kLifetimesS) REQUIRE(ItemCount() >= 500 * uint64_t{kLifetimesS - second});
  }
}

TEST_CASE_METHOD(SweptCache, "what was flushed is freed, whatever its expiry") {
  StoreMany(30'000, kNeverExpires);
  StoreMany(30'000, In(1'000));
  user.FlushNow();
  user.Set("later", "v", In(1'000));
  CHECK(ItemCount() > 1);
  MaintainUntilSwept();
  CHECK(ItemCount() == 1);
  CHECK(cache->Stats().sweeper_freed > 0);
  CHECK(user.Has("later"));
  Tick(1'000 + kPatienceS);  // nor is its expiry forgotten over the flush
  CHECK(ItemCount() == 0);
}

TEST_CASE_METHOD(SweptCache, "who sweeps is told whether there is more") {
  CHECK_FALSE(cache->Sweep());
  StoreMany(100, In(1));
  CHECK_FALSE(cache->Sweep());
  clock.Set(In(kPatienceS));
  (void)user.Has("another key");  // a turn that is not over: what is due has to wait
  CHECK(cache->Sweep());
  CHECK(ItemCount() == 100);
  user.BetweenTurns([&] {
    while (cache->Sweep()) {
    }
  });
  CHECK(ItemCount() == 0);
}

TEST_CASE("several sweepers each free what lies in their part, all of it together") {
  constexpr uint32_t kSweepers = 3;
  SweptCache cache(CacheConfig{.limit_bytes = 64 * kMiB, .sweeper_count = kSweepers});
  for (int i = 0; i < 100; ++i) {
    cache.StoreMany(1'000, cache.In(1));
    cache.StoreMany(1'000, kNeverExpires);
  }
  cache.clock.Set(cache.In(kPatienceS));
  cache.user.BetweenTurns([&] {
    for (uint32_t number = 0; number < kSweepers; ++number) {
      const uint64_t before = cache.ItemCount();
      while (cache.cache->Sweep(number)) {
      }
      CHECK(before - cache.ItemCount() > 15'000);
    }
  });
  CHECK(cache.ItemCount() == 100'000);
  cache.user.FlushNow();
  cache.MaintainUntilSwept();
  CHECK(cache.ItemCount() == 0);
}

TEST_CASE("more sweepers than pages do no harm") {
  SweptCache cache(CacheConfig{.limit_bytes = 64 * kMiB, .sweeper_count = 16});
  cache.StoreMany(100, cache.In(1));
  cache.Tick(1 + kPatienceS);
  CHECK(cache.ItemCount() == 0);
  cache.StoreMany(100, kNeverExpires);
  cache.user.FlushNow();
  cache.MaintainUntilSwept();
  CHECK(cache.ItemCount() == 0);
}

TEST_CASE_METHOD(SweptCache, "while a reader is at work nothing is freed under it") {
  user.Set("short-lived", "value", In(1));
  const Hit hit = cache->Get(user.worker(), "short-lived");
  CacheFixture::Tick(1 + kPatienceS);  // the user stays on-line
  CHECK(hit.value == "value");
  CHECK(ItemCount() == 1);
  user.NextTurn();
  Maintain();
  CHECK(ItemCount() == 0);
}

TEST_CASE("items of every size are found, in whatever stretch of their page they begin") {
  SweptCache cache(CacheConfig{.limit_bytes = 256 * kMiB});
  uint64_t stored = 0;
  for (size_t value_bytes = 1; value_bytes < kPageBytes / 2;
       value_bytes = value_bytes * 5 / 4 + 1) {
    for (int i = 0; i < 5; ++i, ++stored) {
      cache.user.Set(Numbered("sized", stored), std::string(value_bytes, 'v'), cache.In(1));
    }
    cache.user.NextTurn();
  }
  REQUIRE(cache.ItemCount() == stored);
  cache.Tick(1 + kPatienceS);
  CHECK(cache.ItemCount() == 0);
}

}  // namespace
}  // namespace larder::slab
