#include "tests/bench/zipf.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

namespace larder::bench {
namespace {

constexpr int kDrawCount = 1 << 20;

std::vector<int> Draw(uint32_t rank_count, double exponent) {
  std::mt19937_64 random(1);
  const Zipf zipf(rank_count, exponent);
  std::vector<int> counts(rank_count);
  for (int i = 0; i < kDrawCount; ++i) ++counts.at(zipf.Draw(random));
  return counts;
}

TEST_CASE("A rank is drawn as often as Zipf's law says, below, at and above exponent 1") {
  const double exponent = GENERATE(0.5, 0.7, 0.99, 1.0, 1.1, 2.0);
  CAPTURE(exponent);
  const uint32_t rank_count = 1000;
  double weight_sum = 0;
  for (uint32_t rank = 1; rank <= rank_count; ++rank) weight_sum += std::pow(rank, -exponent);
  const std::vector<int> counts = Draw(rank_count, exponent);
  for (const uint32_t rank : {1u, 2u, 3u, 10u}) {
    const double wanted = kDrawCount * std::pow(rank, -exponent) / weight_sum;
    CHECK(counts[rank - 1] == Approx(wanted).epsilon(0.05));
  }
  double tail = 0, wanted_tail = 0;
  for (uint32_t rank = 501; rank <= rank_count; ++rank) {
    tail += counts[rank - 1];
    wanted_tail += kDrawCount * std::pow(rank, -exponent) / weight_sum;
  }
  CHECK(tail == Approx(wanted_tail).epsilon(0.05));
}

TEST_CASE("Zipf over one rank draws that rank") {
  CHECK(Draw(1, 0.99) == std::vector<int>{kDrawCount});
}

TEST_CASE("Zipf's sequence is the same on every machine and with every library") {
  std::mt19937_64 random(7);
  const Zipf zipf(1'000'000, 0.99);
  for (const uint32_t rank : {22u, 0u, 204'265u, 2u, 147'463u, 476'094u}) {
    CHECK(zipf.Draw(random) == rank);
  }
}

}  // namespace
}  // namespace larder::bench
