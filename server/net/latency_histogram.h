// server/net/latency_histogram.h - counts latencies in buckets of equal relative width.
//
// Fixed memory and one addition for each value, however long it goes on, and still every percentile
// to within 1.6 %: below 128 ns a bucket is 1 ns wide, above it each power of two is cut into 64
// buckets.
//
//     value     0 .. 127   128 .. 255   256 .. 511   ...   up to kValueNsMax
//     width     1          2            4             ...
//     buckets   128        64           64            ...
//
// The largest value is not kept apart, so that what was counted up to some moment can be taken away
// again: Subtract() is how a reset looks to those who read.
//
// Units    nanoseconds.
// Threads  Add: one thread. Any other may copy or Merge() it meanwhile; relaxed, as net_counters.h
//          says. Everything else: on one that nobody adds to.
// Errors   none: a value above kValueNsMax is counted as kValueNsMax.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "server/net/net_counters.h"

namespace larder::server {

class LatencyHistogram {
 public:
  static constexpr uint64_t kValueNsMax = (uint64_t{1} << 37) - 1;  // 137 s

  LatencyHistogram() = default;
  LatencyHistogram(const LatencyHistogram& other) { Merge(other); }
  LatencyHistogram& operator=(const LatencyHistogram& other);

  void Add(uint64_t value_ns, uint64_t times = 1) {
    buckets_[BucketOf(std::min(value_ns, kValueNsMax))].Add(times);
  }
  // Adds all that `other` has counted.
  void Merge(const LatencyHistogram& other);
  // REQUIRES: what `earlier` has counted, this one has counted, too.
  void Subtract(const LatencyHistogram& earlier);

  [[nodiscard]] uint64_t Count() const;
  // The smallest bucket edge that at least `fraction` of all values do not exceed: of 1, the
  // largest value's. 0 when nothing was counted.
  // REQUIRES: 0 < fraction <= 1
  [[nodiscard]] uint64_t PercentileNs(double fraction) const;

 private:
  static constexpr uint32_t kExactBits = 7;
  static constexpr uint32_t kBucketsPerOctave = 1u << (kExactBits - 1);
  static constexpr uint32_t kOctaveCount = 37 - kExactBits;
  static constexpr uint32_t kBucketCount = (kOctaveCount + 2) * kBucketsPerOctave;

  static uint32_t BucketOf(uint64_t value_ns) {
    const auto bits = static_cast<uint32_t>(std::bit_width(value_ns));
    const uint32_t shift = bits > kExactBits ? bits - kExactBits : 0;
    return shift * kBucketsPerOctave + static_cast<uint32_t>(value_ns >> shift);
  }
  static uint64_t UpperEdgeNs(uint32_t bucket);

  std::array<Counter, kBucketCount> buckets_{};
};

}  // namespace larder::server
