// tests/bench/latency_histogram.h - counts latencies in buckets of equal relative width.
//
// Fixed memory and one increment for each value, however long the run, and still every
// percentile to within 1 %: below 256 ns a bucket is 1 ns wide, above it each power of two is
// cut into 128 buckets.
//
//     value     0 .. 255   256 .. 511   512 .. 1023   ...   up to kValueNsMax
//     width     1          2            4             ...
//     buckets   256        128          128           ...
//
// Units    nanoseconds.
// Threads  one thread at a time.
// Errors   none: a value above kValueNsMax is counted as kValueNsMax.
#pragma once

#include <array>
#include <cstdint>

namespace larder::bench {

class LatencyHistogram {
 public:
  static constexpr uint64_t kValueNsMax = (uint64_t{1} << 36) - 1;  // 68 s

  void Add(uint64_t value_ns, uint64_t times = 1);

  [[nodiscard]] uint64_t Count() const { return count_; }
  [[nodiscard]] uint64_t MaxNs() const { return max_ns_; }

  // The smallest bucket edge that at least `fraction` of all values do not exceed, and never more
  // than MaxNs(). 0 when nothing was counted.
  // REQUIRES: 0 < fraction <= 1
  [[nodiscard]] uint64_t PercentileNs(double fraction) const;

 private:
  static constexpr uint32_t kExactBits = 8;
  static constexpr uint32_t kBucketsPerOctave = 1u << (kExactBits - 1);
  static constexpr uint32_t kOctaveCount = 36 - kExactBits;
  static constexpr uint32_t kBucketCount = (kOctaveCount + 2) * kBucketsPerOctave;

  static uint32_t BucketOf(uint64_t value_ns);
  static uint64_t UpperEdgeNs(uint32_t bucket);

  std::array<uint64_t, kBucketCount> buckets_{};
  uint64_t count_ = 0;
  uint64_t max_ns_ = 0;
};

}  // namespace larder::bench
