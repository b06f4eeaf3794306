#include "slab/expiry.h"

#include <catch2/catch.hpp>

namespace larder::slab {
namespace {

constexpr int64_t kStart = 1'700'000'000;
constexpr uint32_t kNow = 1000;

uint32_t Resolve(int64_t exptime) { return ResolveExpiry(exptime, kNow, kStart); }

TEST_CASE("0 never expires and negative is past at once") {
  CHECK(Resolve(0) == kNeverExpires);
  CHECK(IsExpired(Resolve(-1), kNow));
  CHECK(IsExpired(Resolve(INT32_MIN), Clock::kFirstSecond));
  CHECK_FALSE(IsExpired(kNeverExpires, UINT32_MAX));
}

TEST_CASE("up to thirty days are relative, beyond is absolute") {
  CHECK(Resolve(1) == kNow + 1);
  CHECK(Resolve(2'592'000) == kNow + 2'592'000);
  // One second more is an absolute time in 1970, before the process started.
  CHECK(Resolve(2'592'001) == kAlreadyExpired);
}

TEST_CASE("absolute times are placed on the cache's clock") {
  CHECK(Resolve(kStart) == Clock::kFirstSecond);
  CHECK(Resolve(kStart + 100) == Clock::kFirstSecond + 100);
  CHECK(Resolve(kStart - Clock::kFirstSecond) == kAlreadyExpired);
  CHECK(Resolve(kStart - Clock::kFirstSecond + 1) == 1);
  CHECK_FALSE(IsExpired(Resolve(0xFFFFFFFFLL), kNow));
}

TEST_CASE("an item expires at its second, not after it") {
  CHECK_FALSE(IsExpired(kNow + 1, kNow));
  CHECK(IsExpired(kNow, kNow));
  CHECK(IsExpired(kNow - 1, kNow));
}

}  // namespace
}  // namespace larder::slab
