// tests/bench/zipf.h - draws ranks by Zipf's law: rank r, counted from 1, has a weight of
// r^-exponent.
//
// Drawn by rejection from a continuous curve that lies over the weights (W. Hörmann and
// G. Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions",
// 1996): a handful of operations for a draw and no table, so that millions of ranks cost nothing.
//
// Units    ranks as drawn are 0-based: 0 is the most popular.
// Threads  constant after construction; the source of randomness is the caller's.
#pragma once

#include <cstdint>
#include <random>

namespace larder::bench {

class Zipf {
 public:
  // REQUIRES: rank_count >= 1, exponent > 0.
  Zipf(uint32_t rank_count, double exponent);

  [[nodiscard]] uint32_t Draw(std::mt19937_64& random) const;

 private:
  // The curve x^-exponent, its integral, and the inverse of that.
  [[nodiscard]] double Weight(double x) const;
  [[nodiscard]] double Integral(double x) const;
  [[nodiscard]] double InverseIntegral(double area) const;

  double rank_count_;
  double exponent_;
  double area_begin_;   // Integral where the first rank's share begins
  double area_end_;     // Integral where the last rank's share ends
  double sure_within_;  // a draw this close below its rank needs no second look
};

}  // namespace larder::bench
