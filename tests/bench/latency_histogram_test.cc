#include "tests/bench/latency_histogram.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <vector>

namespace larder::bench {
namespace {

TEST_CASE("An empty histogram answers zero") {
  const LatencyHistogram histogram;
  CHECK(histogram.Count() == 0);
  CHECK(histogram.PercentileNs(0.99) == 0);
}

TEST_CASE("Latencies below 256 ns are kept exactly") {
  LatencyHistogram histogram;
  for (uint64_t ns = 1; ns <= 200; ++ns) histogram.Add(ns);
  CHECK(histogram.PercentileNs(0.5) == 100);
  CHECK(histogram.PercentileNs(0.99) == 198);
  CHECK(histogram.PercentileNs(1.0) == 200);
}

TEST_CASE("A value lies at or below its bucket's edge, by less than one percent") {
  for (uint64_t ns = 1; ns < LatencyHistogram::kValueNsMax / 3; ns = ns * 9 / 8 + 1) {
    LatencyHistogram histogram;
    histogram.Add(ns);
    histogram.Add(LatencyHistogram::kValueNsMax);  // else the maximum would cut the edge off
    const uint64_t edge_ns = histogram.PercentileNs(0.5);
    CHECK(edge_ns >= ns);
    CHECK(static_cast<double>(edge_ns - ns) <= 0.01 * static_cast<double>(ns));
  }
}

TEST_CASE("Percentiles of a long tail agree with the sorted values to within one percent") {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> latency_ns(11.0, 1.5);
  LatencyHistogram histogram;
  std::vector<uint64_t> values;
  for (int i = 0; i < 50'000; ++i) {
    values.push_back(static_cast<uint64_t>(latency_ns(random)));
    histogram.Add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double fraction : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<size_t>(std::ceil(fraction * 50'000)) - 1;
    const auto wanted_ns = static_cast<double>(values[rank]);
    CHECK(static_cast<double>(histogram.PercentileNs(fraction)) == Approx(wanted_ns).epsilon(0.01));
  }
}

TEST_CASE("A value counted many times weighs that much") {
  LatencyHistogram histogram;
  histogram.Add(10, 990);
  histogram.Add(50, 10);
  CHECK(histogram.Count() == 1000);
  CHECK(histogram.PercentileNs(0.99) == 10);
  CHECK(histogram.PercentileNs(0.991) == 50);
}

TEST_CASE("A value beyond the range counts as the largest of the range") {
  LatencyHistogram histogram;
  histogram.Add(UINT64_MAX);
  CHECK(histogram.MaxNs() == LatencyHistogram::kValueNsMax);
  CHECK(histogram.PercentileNs(0.5) == LatencyHistogram::kValueNsMax);
}

}  // namespace
}  // namespace larder::bench
