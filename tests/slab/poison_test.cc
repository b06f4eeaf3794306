// Built with AddressSanitizer only: without it there is nothing to see.
#include "slab/poison.h"

#include <catch2/catch.hpp>

#include "cache_fixture.h"
#include "slab/extent_area.h"

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

TEST_CASE("an extent can be written up to its last byte, and once given back not at all") {
  MemoryBudget budget(64 * kMiB);
  ExtentArea area(64 * kMiB, budget);
  const uint64_t bytes = GENERATE(as<uint64_t>{}, 70'000, 131'072);
  const ExtentId extent = area.Take(bytes);
  const ExtentId next = area.Take(bytes);
  const char* const begin = area.At(extent);
  CHECK_FALSE(IsPoisoned({begin, bytes}));
  CHECK((begin + bytes == area.At(next) || IsPoisoned({begin + bytes, 1})));
  area.GiveBack(extent);
  CHECK(IsPoisoned({begin, 1}));
  CHECK(IsPoisoned({begin + bytes - 1, 1}));
  area.ReleaseIdle(bytes);
  CHECK(IsPoisoned({begin, 1}));
  CHECK_FALSE(IsPoisoned({area.At(next), bytes}));
}

}  // namespace
}  // namespace larder::slab
