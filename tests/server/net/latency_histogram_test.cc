#include "server/net/latency_histogram.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <vector>

namespace larder::server {
namespace {

TEST_CASE("An empty histogram answers zero") {
  const LatencyHistogram histogram;
  CHECK(histogram.Count() == 0);
  CHECK(histogram.PercentileNs(0.99) == 0);
}

TEST_CASE("Latencies below 128 ns are kept exactly") {
  LatencyHistogram histogram;
  for (uint64_t ns = 1; ns <= 100; ++ns) histogram.Add(ns);
  CHECK(histogram.PercentileNs(0.5) == 50);
  CHECK(histogram.PercentileNs(0.99) == 99);
  CHECK(histogram.PercentileNs(1.0) == 100);
}

TEST_CASE("A value lies at or below its bucket's edge, by less than 1.6 percent") {
  for (uint64_t ns = 1; ns < LatencyHistogram::kValueNsMax / 3; ns = ns * 9 / 8 + 1) {
    LatencyHistogram histogram;
    histogram.Add(ns);
    const uint64_t edge_ns = histogram.PercentileNs(0.5);
    CHECK(edge_ns >= ns);
    CHECK(static_cast<double>(edge_ns - ns) <= 0.016 * static_cast<double>(ns));
  }
}

TEST_CASE("Percentiles of a long tail agree with the sorted values to within 1.6 percent") {
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
    CHECK(static_cast<double>(histogram.PercentileNs(fraction)) ==
          Approx(wanted_ns).epsilon(0.016));
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
  CHECK(histogram.PercentileNs(1.0) == LatencyHistogram::kValueNsMax);
}

TEST_CASE("Histograms of several threads make one") {
  LatencyHistogram one;
  LatencyHistogram other;
  one.Add(10, 3);
  other.Add(100'000, 1);
  LatencyHistogram both = one;
  both.Merge(other);
  CHECK(both.Count() == 4);
  CHECK(both.PercentileNs(0.75) == 10);
  CHECK(both.PercentileNs(1.0) == other.PercentileNs(1.0));
}

TEST_CASE("What was counted before a reset is gone, the largest value included") {
  LatencyHistogram histogram;
  histogram.Add(5'000'000);
  histogram.Add(10);
  const LatencyHistogram at_reset = histogram;
  histogram.Add(20);
  LatencyHistogram since = histogram;
  since.Subtract(at_reset);
  CHECK(since.Count() == 1);
  CHECK(since.PercentileNs(1.0) == 20);
  since = at_reset;
  CHECK(since.Count() == 2);
}

}  // namespace
}  // namespace larder::server
