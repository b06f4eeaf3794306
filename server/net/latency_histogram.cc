#include "server/net/latency_histogram.h"

#include <cmath>

namespace larder::server {

uint64_t LatencyHistogram::UpperEdgeNs(uint32_t bucket) {
  if (bucket < 2 * kBucketsPerOctave) return bucket;
  const uint32_t shift = bucket / kBucketsPerOctave - 1;
  const uint64_t mantissa = bucket - shift * kBucketsPerOctave;
  return ((mantissa + 1) << shift) - 1;
}

LatencyHistogram& LatencyHistogram::operator=(const LatencyHistogram& other) {
  for (uint32_t i = 0; i < kBucketCount; ++i) buckets_[i].Set(other.buckets_[i].Get());
  return *this;
}

void LatencyHistogram::Merge(const LatencyHistogram& other) {
  for (uint32_t i = 0; i < kBucketCount; ++i) buckets_[i].Add(other.buckets_[i].Get());
}

void LatencyHistogram::Subtract(const LatencyHistogram& earlier) {
  for (uint32_t i = 0; i < kBucketCount; ++i) buckets_[i].Subtract(earlier.buckets_[i].Get());
}

uint64_t LatencyHistogram::Count() const {
  uint64_t count = 0;
  for (const Counter& bucket : buckets_) count += bucket.Get();
  return count;
}

uint64_t LatencyHistogram::PercentileNs(double fraction) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(fraction * static_cast<double>(Count())));
  uint64_t seen = 0;
  for (uint32_t bucket = 0; bucket < kBucketCount; ++bucket) {
    seen += buckets_[bucket].Get();
    if (seen >= wanted && seen > 0) return UpperEdgeNs(bucket);
  }
  return 0;
}

}  // namespace larder::server
