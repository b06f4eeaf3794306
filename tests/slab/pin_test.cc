#include <catch2/catch.hpp>

#include "cache_fixture.h"

namespace larder::slab {
namespace {

const std::string kLarge(100'000, 'L');

TEST_CASE("a pinned value outlives its removal and the end of the turn") {
  OneUser fixture;
  CacheUser& user = fixture.user;
  user.Set("k", kLarge);
  const Hit hit = fixture.cache->Get(user.worker(), "k");
  Pin pin = fixture.cache->PinValue(hit);
  const std::string_view lent = hit.value;
  CHECK(user.Remove("k") == RemoveStatus::kRemoved);
  for (int i = 0; i < 5; ++i) {
    fixture.Maintain();
  }
  CHECK(lent == kLarge);
  pin.Release();
}

TEST_CASE("a pinned chunk is not given to another item, and is reused after its release") {
  CacheConfig config;
  config.limit_bytes = 3 * kMiB;
  OneUser fixture(config);
  CacheUser& user = fixture.user;
  const std::string huge(900'000, 'a');
  user.Set("pinned", huge);
  const Hit hit = fixture.cache->Get(user.worker(), "pinned");
  Pin pin = fixture.cache->PinValue(hit);
  const std::string_view lent = hit.value;
  user.Remove("pinned");
  // Far more than the two pages: whoever took the pinned chunk would overwrite it.
  for (int i = 0; i < 20; ++i) {
    REQUIRE(user.Set(Numbered("other", static_cast<uint64_t>(i)), std::string(900'000, 'b')) ==
            StoreStatus::kStored);
    user.NextTurn();
  }
  CHECK(lent == huge);
  pin.Release();
  user.NextTurn();
  // Both pages hold items again only if the pinned one came back.
  user.Set("x", huge);
  user.Set("y", huge);
  CHECK(user.Has("x"));
  CHECK(user.Has("y"));
}

TEST_CASE("several pins keep a value until the last is gone") {
  OneUser fixture;
  CacheUser& user = fixture.user;
  user.Set("k", kLarge);
  const Hit hit = fixture.cache->Get(user.worker(), "k");
  Pin first = fixture.cache->PinValue(hit);
  void* const second = fixture.cache->PinValue(hit).ToOpaque();
  const std::string_view lent = hit.value;
  user.Set("k", "replaced");
  first.Release();
  fixture.Maintain();
  user.NextTurn();
  CHECK(lent == kLarge);
  Pin::ReleaseOpaque(second);
}

}  // namespace
}  // namespace larder::slab
