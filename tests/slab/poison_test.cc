// Built with AddressSanitizer only: without it there is nothing to see.
#include "slab/poison.h"

#include <catch2/catch.hpp>

#include "cache_fixture.h"

namespace larder::slab {
namespace {

bool IsPoisoned(std::string_view bytes) {
  return __asan_region_is_poisoned(const_cast<char*>(bytes.data()), bytes.size()) != nullptr;
}

TEST_CASE("a removed item's bytes are poisoned once nobody can be reading them") {
  OneUser fixture;
  fixture.user.Set("k", "some value");
  const std::string_view value = fixture.cache->Get(fixture.user.worker(), "k").value;
  CHECK_FALSE(IsPoisoned(value));
  fixture.user.Remove("k");
  CHECK_FALSE(IsPoisoned(value));  // the reader of a moment ago may still be at it
  for (int i = 0; i < 3; ++i) fixture.Maintain();
  CHECK(IsPoisoned(value));
}

TEST_CASE("a reserved chunk can be written in full and is poisoned again when it is given back") {
  OneUser fixture;
  std::span<char> value;
  {
    const Reservation reservation =
        fixture.cache->Reserve(fixture.user.worker(), {.key = "k", .value_bytes = 100});
    value = reservation.Value();
    CHECK_FALSE(IsPoisoned({value.data(), value.size()}));
  }
  CHECK(IsPoisoned({value.data(), value.size()}));
}

}  // namespace
}  // namespace larder::slab
