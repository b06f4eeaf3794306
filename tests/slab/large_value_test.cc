// Values too large for a chunk: their way through the cache, and what is charged for them.
#include <catch2/catch.hpp>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "slab/item.h"
#include "tests/slab/cache_fixture.h"

namespace larder::slab {
namespace {

constexpr size_t kLargeBytes = 200'000;

std::string Pattern(size_t bytes, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string text(bytes, ' ');
  for (char& c : text) c = static_cast<char>('a' + random() % 26);
  return text;
}

uint64_t Accounted(const CacheStats& stats) {
  return stats.page_bytes + stats.index_bytes + stats.ghost_bytes + stats.queue_bytes +
         stats.hint_bytes + stats.extent_bytes + stats.extent_idle_bytes +
         stats.extent_record_bytes;
}

class LargeValues : public OneUser {
 public:
  explicit LargeValues(const CacheConfig& config = {.limit_bytes = 16 * kMiB}) : OneUser(config) {}

  uint64_t LentBytes() { return cache->Stats().extent_bytes; }
  void RequireExact() {
    const CacheStats stats = cache->Stats();
    REQUIRE(stats.used_bytes == Accounted(stats));
    REQUIRE(stats.used_bytes <= stats.limit_bytes);
  }
};

TEST_CASE("values of every size come back whole, on both sides of the largest chunk") {
  const bool use_cas = GENERATE(false, true);
  const uint32_t client_flags = GENERATE(0U, 7U);
  const size_t key_bytes = GENERATE(1U, 250U);
  LargeValues cache({.limit_bytes = 16 * kMiB, .use_cas = use_cas});
  const std::string key(key_bytes, 'k');
  for (const size_t bytes : {65'000U, 65'200U, 65'247U, 65'248U, 65'300U, 65'400U, 65'536U,
                             131'072U, 131'073U, 524'288U, 1'048'000U}) {
    const std::string value = Pattern(bytes, bytes);
    const auto stored =
        cache.user.TryStore(key, value, StoreMode::kSet, kNeverExpires, 0, client_flags);
    REQUIRE(stored);
    REQUIRE(stored->status == StoreStatus::kStored);
    const Hit hit = cache.cache->Get(cache.user.worker(), key);
    REQUIRE(hit.value == value);
    CHECK(hit.key == key);
    CHECK(hit.client_flags == client_flags);
    cache.RequireExact();
  }
  CHECK(cache.LentBytes() >= 1'048'000);
}

TEST_CASE(
    "a large value's memory is its own again when it is replaced, removed, expired, flushed") {
  LargeValues cache;
  cache.user.Set("kept", Pattern(kLargeBytes, 1));
  cache.Maintain();
  const uint64_t before = cache.LentBytes();
  SECTION("replaced by a small one") {
    cache.user.Set("k", Pattern(kLargeBytes, 2));
    cache.user.Set("k", "small");
    CHECK(cache.user.Get("k") == "small");
  }
  SECTION("removed") {
    cache.user.Set("k", Pattern(kLargeBytes, 2));
    CHECK(cache.user.Remove("k") == RemoveStatus::kRemoved);
  }
  SECTION("expired") {
    cache.user.Set("k", Pattern(kLargeBytes, 2), cache.In(2));
    cache.Tick(3);
    CHECK_FALSE(cache.user.Has("k"));
  }
  SECTION("not finished") {
    const Reservation reservation =
        cache.cache->Reserve(cache.user.worker(), {.key = "k", .value_bytes = kLargeBytes});
    CHECK(cache.LentBytes() > before);
  }
  cache.Maintain();
  cache.Maintain();
  CHECK(cache.LentBytes() == before);
  cache.RequireExact();
  cache.user.FlushNow();
  cache.Maintain();
  cache.Maintain();
  CHECK(cache.LentBytes() == 0);
  cache.RequireExact();
}

TEST_CASE(
    "a large value that is lent stays whole after it was evicted, and then its memory comes") {
  LargeValues cache({.limit_bytes = 8 * kMiB});
  const std::string value = Pattern(kLargeBytes, 3);
  cache.user.Set("lent", value);
  const Hit hit = cache.cache->Peek(cache.user.worker(), "lent");  // unread
  const std::string_view bytes = hit.value;
  Pin pin = cache.cache->PinValue(hit);
  for (uint64_t i = 0; i < 400; ++i) cache.user.Set(Numbered("k", i), Pattern(kLargeBytes, i));
  cache.Maintain();
  CHECK_FALSE(cache.user.Has("lent"));
  CHECK(bytes == value);
  const uint64_t before = cache.LentBytes();
  pin.Release();
  for (uint64_t i = 0; i < 400; ++i) cache.user.Set(Numbered("k", i), Pattern(kLargeBytes, i));
  cache.Maintain();
  CHECK(cache.LentBytes() <= before);
  cache.RequireExact();
}

TEST_CASE("values grow past the largest chunk by append and prepend, and keep their order") {
  LargeValues cache;
  std::string expected = Pattern(40'000, 4);
  cache.user.Set("k", expected);
  for (uint64_t i = 0; i < 5; ++i) {
    const std::string more = Pattern(30'000 * (i + 1), i);
    REQUIRE(cache.user.Store(StoreMode::kAppend, "k", more) == StoreStatus::kStored);
    REQUIRE(cache.user.Store(StoreMode::kPrepend, "k", "front") == StoreStatus::kStored);
    expected = "front" + expected + more;
    REQUIRE(cache.user.Get("k") == expected);
  }
  CHECK(cache.user.Add("k", 1).status == ArithmeticStatus::kNonNumeric);
  CHECK(cache.user.Get("k") == expected);
  cache.RequireExact();
}

TEST_CASE("above 64 KiB memory is no more than 1.05 of what was stored") {
  LargeValues cache({.limit_bytes = 256 * kMiB});
  std::mt19937_64 random(5);
  const std::string text(kMiB, 'x');
  for (uint64_t i = 0; i < 900; ++i) {
    const size_t bytes = 64 * 1024 + random() % (kMiB - 64 * 1024 - 300);
    cache.user.Set(Numbered("k", i), std::string_view(text).substr(0, bytes));
    if (i % 50 == 0) cache.Maintain();
  }
  const CacheStats stats = cache.cache->Stats();
  CHECK(stats.sum.evicted > 100);
  CHECK(static_cast<double>(stats.used_bytes) < 1.05 * static_cast<double>(stats.item_bytes));
  cache.RequireExact();
}

TEST_CASE("memory goes from small items to large ones and back, and to a lower limit") {
  LargeValues cache({.limit_bytes = 32 * kMiB});
  const auto store = [&](uint64_t count, size_t bytes) {
    const std::string value(bytes, 'v');
    for (uint64_t i = 0; i < count; ++i) {
      REQUIRE(cache.user.Set(Numbered("key", i * 10'000 + bytes), value) == StoreStatus::kStored);
      if (i % 50 == 0) cache.Tick();
    }
    cache.RequireExact();
  };
  store(60'000, 500);
  store(2'000, 150'000);
  CHECK(cache.LentBytes() > 16 * kMiB);
  store(200'000, 500);
  CHECK(cache.LentBytes() < 16 * kMiB);
  store(2'000, 300'000);
  REQUIRE(cache.cache->SetLimit(12 * kMiB));
  for (int i = 0; i < 200; ++i) cache.Maintain();
  cache.RequireExact();
  store(100, 900'000);
}

TEST_CASE("a full cache of eight megabytes takes large values from four clients at a time") {
  CacheFixture fixture({.limit_bytes = 8 * kMiB});
  std::vector<std::thread> clients;
  std::atomic<int> refused{0};
  for (int client = 0; client < 4; ++client) {
    clients.emplace_back([&fixture, &refused, client] {
      CacheUser user(*fixture.cache);
      const std::string large(900'000, 'l');
      for (uint64_t i = 0; i < 60; ++i) {
        const std::string key = Numbered(Numbered("c", static_cast<uint64_t>(client)) + "-", i);
        if (!user.TryStore(key, large)) ++refused;
        for (int j = 0; j < 20; ++j) {
          if (!user.TryStore(Numbered(key, static_cast<uint64_t>(j)), "small")) ++refused;
        }
        user.NextTurn();
      }
    });
  }
  for (std::thread& client : clients) client.join();
  CHECK(refused == 0);
  fixture.cache->Maintain(fixture.clock.NowSeconds());
  const CacheStats stats = fixture.cache->Stats();
  CHECK(stats.used_bytes == Accounted(stats));
}

TEST_CASE(
    "with evictions off large values fill the memory, are refused, and follow what is removed") {
  LargeValues cache({.limit_bytes = 16 * kMiB, .evict = false});
  const std::string value(kLargeBytes, 'v');
  uint64_t stored = 0;
  while (cache.user.TryStore(Numbered("k", stored), value)) ++stored;
  CHECK(stored > 60);
  for (uint64_t i = 0; i < stored; ++i) REQUIRE(cache.user.Has(Numbered("k", i)));
  CHECK(cache.cache->Stats().sum.evicted == 0);
  cache.user.Remove("k0");
  CHECK(cache.user.TryStore("new", value));
  cache.user.FlushNow();
  cache.Maintain();
  for (uint64_t i = 0; i < 10'000; ++i) REQUIRE(cache.user.TryStore(Numbered("s", i), "small"));
  cache.RequireExact();
}

}  // namespace
}  // namespace larder::slab
