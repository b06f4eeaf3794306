#include "tests/bench/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace larder::bench {

uint32_t LatencyHistogram::BucketOf(uint64_t value_ns) {
  const auto bits = static_cast<uint32_t>(std::bit_width(value_ns));
  const uint32_t shift = bits > kExactBits ? bits - kExactBits : 0;
  return shift * kBucketsPerOctave + static_cast<uint32_t>(value_ns >> shift);
}

uint64_t LatencyHistogram::UpperEdgeNs(uint32_t bucket) {
  if (bucket < 2 * kBucketsPerOctave) return bucket;
  const uint32_t shift = bucket / kBucketsPerOctave - 1;
  const uint64_t mantissa = bucket - shift * kBucketsPerOctave;
  return ((mantissa + 1) << shift) - 1;
}

void LatencyHistogram::Add(uint64_t value_ns, uint64_t times) {
  const uint64_t clamped_ns = std::min(value_ns, kValueNsMax);
  buckets_[BucketOf(clamped_ns)] += times;
  count_ += times;
  max_ns_ = std::max(max_ns_, clamped_ns);
}

uint64_t LatencyHistogram::PercentileNs(double fraction) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(fraction * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (uint32_t bucket = 0; bucket < kBucketCount && count_ > 0; ++bucket) {
    seen += buckets_[bucket];
    if (seen >= wanted && seen > 0) return std::min(UpperEdgeNs(bucket), max_ns_);
  }
  return max_ns_;
}

}  // namespace larder::bench
