#include "tests/bench/value_sizes.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

namespace larder::bench {
namespace {

constexpr uint32_t kItemCount = 100'000;

std::vector<uint32_t> Sorted(const ValueSizes& sizes) {
  std::vector<uint32_t> all(kItemCount);
  for (uint32_t item = 0; item < kItemCount; ++item) all[item] = sizes.Of(item);
  std::sort(all.begin(), all.end());
  return all;
}

TEST_CASE("A fixed size is every item's size") {
  CHECK(ValueSizes::Fixed(100).Of(0) == 100);
  CHECK(ValueSizes::Fixed(100).Of(4'000'000'000) == 100);
}

TEST_CASE("Log-normal sizes have their median in the middle and their sigma on both sides") {
  const std::vector<uint32_t> sizes = Sorted(ValueSizes::LogNormal(230, 1.3));
  const auto quantile = [&sizes](double fraction) {
    return double(sizes[static_cast<size_t>(fraction * kItemCount)]);
  };
  CHECK(quantile(0.5) == Approx(230).epsilon(0.03));
  CHECK(quantile(0.8413) == Approx(230 * std::exp(1.3)).epsilon(0.03));
  CHECK(quantile(0.1587) == Approx(230 / std::exp(1.3)).epsilon(0.03));
}

TEST_CASE("Sizes between two bounds stay between them, half of them below the geometric mean") {
  const std::vector<uint32_t> sizes = Sorted(ValueSizes::Between(65'536, 1'000'000));
  CHECK(sizes.front() >= 65'536);
  CHECK(sizes.front() < 66'000);
  CHECK(sizes.back() <= 1'000'000);
  CHECK(sizes.back() > 990'000);
  CHECK(sizes[kItemCount / 2] == Approx(std::sqrt(65'536.0 * 1'000'000)).epsilon(0.03));
}

TEST_CASE("No size is above what both servers store by default") {
  CHECK(Sorted(ValueSizes::LogNormal(100'000, 3)).back() == ValueSizes::kBytesMax);
}

TEST_CASE("Sizes are read from a word and its numbers") {
  std::string error;
  REQUIRE(ValueSizes::Parse("fixed:0", &error));
  CHECK(ValueSizes::Parse("fixed:20", &error)->Of(9) == 20);
  CHECK(ValueSizes::Parse("lognormal:230:1.3", &error)->Of(9) ==
        ValueSizes::LogNormal(230, 1.3).Of(9));
  CHECK(ValueSizes::Parse("between:5:70", &error)->Of(9) == ValueSizes::Between(5, 70).Of(9));
}

TEST_CASE("Anything else is refused and named") {
  for (const char* text : {"", "fixed", "fixed:", "fixed:x", "fixed:1:2", "fixed:-1", "normal:1:2",
                           "lognormal:230", "between:9:8", "between:0:8", "fixed:1000001"}) {
    CAPTURE(text);
    std::string error;
    CHECK_FALSE(ValueSizes::Parse(text, &error));
    CHECK_THAT(error, Catch::Contains("'" + std::string(text) + "'"));
  }
}

}  // namespace
}  // namespace larder::bench
