// Pages change hands, their items stay: what clients and readers see of it, which is nothing.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "cache_fixture.h"

namespace larder::slab {
namespace {

constexpr uint32_t kItems = 6'000;
constexpr size_t kBytes = 400;

// Items of one size in a cache that does not move pages of itself.
class Movable : public OneUser {
 public:
  explicit Movable(bool evict = true)
      : OneUser({.limit_bytes = 32 * kMiB, .evict = evict, .rebalance = false}) {}

  // Returns the class they are in.
  uint32_t Fill(uint32_t count, size_t value_bytes) {
    for (uint32_t i = 0; i < count; ++i) user.Set(Numbered("key", i), ValueOf(i, value_bytes));
    return cache->DetailsOf(cache->Get(user.worker(), "key0")).class_id;
  }
  static std::string ValueOf(uint32_t number, size_t bytes) {
    std::string value = Numbered("value", number);
    value.resize(bytes, 'v');
    return value;
  }
  uint32_t CountWhole(uint32_t count, size_t value_bytes) {
    uint32_t whole = 0;
    for (uint32_t i = 0; i < count; ++i) {
      whole += user.Get(Numbered("key", i)) == ValueOf(i, value_bytes) ? 1 : 0;
    }
    return whole;
  }
  MovePageStatus Give(uint32_t donor, uint32_t receiver) {
    return cache->MovePage(user.worker(), static_cast<int32_t>(donor),
                           static_cast<int32_t>(receiver));
  }
  [[nodiscard]] ClassStats Class(uint32_t id) const { return cache->Stats().classes[id - 1]; }
  // Every other item goes, so that each page has room for half of another.
  void Thin() {
    for (uint32_t i = 1; i < kItems; i += 2) user.Remove(Numbered("key", i));
    Maintain();
  }
  // Pages beyond what its items need.
  void AddPages(uint32_t id, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) REQUIRE(Give(0, id) == MovePageStatus::kMoved);
  }
};

TEST_CASE("no item is lost when a page is taken while the class has room") {
  const bool evict = GENERATE(true, false);
  Movable fixture(evict);
  const uint32_t id = fixture.Fill(kItems, kBytes);
  fixture.Thin();
  const uint64_t pages = fixture.Class(id).page_count;
  REQUIRE(pages >= 3);
  REQUIRE(fixture.Give(id, 0) == MovePageStatus::kMoved);
  CHECK(fixture.Class(id).page_count == pages - 1);
  CHECK(fixture.cache->Stats().slab_reassign_rescues > 50);
  CHECK(fixture.CountWhole(kItems, kBytes) == kItems / 2);
  CHECK(fixture.Class(id).evicted == 0);
  CHECK(fixture.Class(id).item_count == kItems / 2);
}

TEST_CASE("with evictions off a page is kept whose items find no room") {
  Movable fixture(false);
  const uint32_t id = fixture.Fill(kItems, kBytes);
  const uint64_t pages = fixture.Class(id).page_count;
  REQUIRE(pages >= 2);
  CHECK(fixture.Give(id, 0) == MovePageStatus::kNotNow);
  CHECK(fixture.Class(id).page_count == pages);
  CHECK(fixture.CountWhole(kItems, kBytes) == kItems);
}

TEST_CASE("an item that moves keeps its value, flags, id, expiry, marks and accesses") {
  Movable fixture;
  CacheUser& user = fixture.user;
  Worker& worker = user.worker();
  std::vector<uint64_t> ids(kItems);
  for (uint32_t i = 0; i < kItems; ++i) {
    const std::string key = Numbered("key", i);
    const std::string value = Movable::ValueOf(i, kBytes);
    user.TryStore(key, value, StoreMode::kSet, fixture.In(100 + i), 0, i + 1);
    if (i % 10 == 0) {
      REQUIRE(fixture.cache->Invalidate(worker, key, {}) == RemoveStatus::kRemoved);
    }
    if (i % 20 == 0) REQUIRE(fixture.cache->MetaGet(worker, key, {}).won);
    ids[i] = fixture.cache->Peek(worker, key).cas;
  }
  fixture.Thin();
  const uint64_t total_items = fixture.cache->Stats().total_items;
  const uint32_t id = fixture.cache->DetailsOf(fixture.cache->Peek(worker, "key0")).class_id;
  REQUIRE(fixture.Give(id, 0) == MovePageStatus::kMoved);
  REQUIRE(fixture.cache->Stats().slab_reassign_rescues > 50);
  for (uint32_t i = 0; i < kItems; i += 2) {
    const Hit hit = fixture.cache->Peek(worker, Numbered("key", i));
    REQUIRE(hit.value == Movable::ValueOf(i, kBytes));
    REQUIRE(hit.client_flags == i + 1);
    REQUIRE(hit.cas == ids[i]);
    REQUIRE(hit.expires_s == fixture.In(100 + i));
    const ItemDetails details = fixture.cache->DetailsOf(hit);
    REQUIRE(details.is_stale == (i % 10 == 0));
    REQUIRE(details.token_is_sent == (i % 20 == 0));
    REQUIRE(details.was_fetched == (i % 20 == 0));
  }
  CHECK(fixture.cache->Stats().total_items == total_items);
  CHECK(fixture.cache->Stats().sum.evicted == 0);
}

TEST_CASE("a full class loses as many items as it has chunks less") {
  Movable fixture;
  const uint32_t id = fixture.Fill(40'000, kBytes);  // more than fit
  const ClassStats before = fixture.Class(id);
  // What is read has another round.
  for (uint32_t i = 0; i < 100; ++i) fixture.user.Get(Numbered("key", 39'000U + i));
  REQUIRE(fixture.Give(id, 0) == MovePageStatus::kMoved);
  const ClassStats after = fixture.Class(id);
  CHECK(after.page_count + 1 == before.page_count);
  CHECK(before.item_count - after.item_count <= before.chunks_per_page);
  for (uint32_t i = 0; i < 100; ++i) CHECK(fixture.user.Has(Numbered("key", 39'000U + i)));
}

TEST_CASE("a pinned value stays where it is, and its page with it") {
  Movable fixture;
  constexpr uint32_t kLong = 60'000;
  const uint32_t id = fixture.Fill(30, kLong);
  const Hit hit = fixture.cache->Get(fixture.user.worker(), "key7");
  Pin pin = fixture.cache->PinValue(hit);
  const std::string_view lent = hit.value;
  fixture.AddPages(id, 4);
  for (int i = 0; i < 4; ++i) CHECK(fixture.Give(id, 0) == MovePageStatus::kMoved);
  CHECK(lent == Movable::ValueOf(7, kLong));
  CHECK(fixture.CountWhole(30, kLong) == 30);
  pin.Release();
}

}  // namespace
}  // namespace larder::slab
