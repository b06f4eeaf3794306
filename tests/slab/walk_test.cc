// Walks over all items, and the crawl that removes the dead among them.
#include <catch2/catch.hpp>

#include <map>
#include <string>

#include "cache_fixture.h"

namespace larder::slab {
namespace {

using Seen = std::map<std::string, int>;

class Walker : public OneUser {
 public:
  void StoreMany(std::string_view prefix, uint64_t count, uint32_t expires_s = 0) {
    for (uint64_t i = 0; i < count; ++i) {
      REQUIRE(user.Set(Numbered(prefix, i), "v", expires_s) == StoreStatus::kStored);
      if (i % 1000 == 0) user.NextTurn();
    }
  }
  bool Step(WalkCursor& cursor, uint32_t buckets, Seen& seen) {
    const bool more = cache->Walk(user.worker(), cursor, buckets,
                                  [&](const Hit& hit) { ++seen[std::string(hit.key)]; });
    user.NextTurn();
    return more;
  }
  uint32_t ClassOf(std::string_view key) {
    return cache->DetailsOf(cache->Peek(user.worker(), key)).class_id;
  }
};

TEST_CASE_METHOD(Walker, "a walk meets every item once") {
  StoreMany("key", 20'000);
  Seen seen;
  WalkCursor cursor;
  while (Step(cursor, 100, seen)) {
  }
  CHECK(seen.size() == 20'000);
  for (const auto& [key, count] : seen) REQUIRE(count == 1);
}

TEST_CASE_METHOD(Walker, "a walk of an empty cache ends") {
  Seen seen;
  WalkCursor cursor;
  while (Step(cursor, 100, seen)) {
  }
  CHECK(seen.empty());
}

TEST_CASE_METHOD(Walker, "what stays is met once while the index grows twentyfold under the walk") {
  StoreMany("stays", 5'000);
  Seen seen;
  WalkCursor cursor;
  uint64_t round = 0;
  while (Step(cursor, 50, seen)) {
    for (uint64_t i = 0; i < 5'000; ++i) user.Set(Numbered("late", round * 5'000 + i), "v");
    user.NextTurn();
    ++round;
  }
  REQUIRE(round > 10);
  for (uint64_t i = 0; i < 5'000; ++i) REQUIRE(seen[Numbered("stays", i)] == 1);
  for (const auto& [key, count] : seen) REQUIRE(count == 1);
}

TEST_CASE_METHOD(Walker, "expired and flushed items are not shown") {
  StoreMany("short", 100, In(1));
  StoreMany("long", 100, In(100));
  Tick(2);
  Seen seen;
  WalkCursor cursor;
  while (Step(cursor, 1000, seen)) {
  }
  CHECK(seen.size() == 100);
  user.FlushNow();
  seen.clear();
  cursor = {};
  while (Step(cursor, 1000, seen)) {
  }
  CHECK(seen.empty());
}

TEST_CASE_METHOD(Walker, "a crawl removes the dead of the classes it is asked for") {
  StoreMany("small", 1'000, In(1));
  REQUIRE(user.Set("large", std::string(5'000, 'x'), In(1)) == StoreStatus::kStored);
  const uint32_t small_class = ClassOf("small0");
  const uint32_t large_class = ClassOf("large");
  REQUIRE(small_class != large_class);
  StoreMany("stays", 100);
  Tick(2);
  WalkCursor cursor;
  while (cache->Crawl(user.worker(), cursor, 64, uint64_t{1} << small_class)) {
  }
  CacheStats stats = cache->Stats();
  CHECK(stats.sum.crawler_reclaimed == 1'000);
  CHECK(stats.sum.crawler_items_checked == 1'100);
  CHECK(stats.sum.item_count == 101);
  cursor = {};
  while (cache->Crawl(user.worker(), cursor, 64, ~uint64_t{0})) {
  }
  stats = cache->Stats();
  CHECK(stats.sum.crawler_reclaimed == 1'001);
  CHECK(stats.sum.item_count == 100);
  CHECK(stats.get_expired == 0);
}

}  // namespace
}  // namespace larder::slab
