#include "tests/bench/zipf.h"

#include <algorithm>
#include <cmath>

namespace larder::bench {
namespace {

// log(1 + x) / x and (exp(x) - 1) / x, which are 1 at 0: they carry the integral of x^-s smoothly
// through s = 1, where its usual form divides by zero.
double LogRatio(double x) { return std::abs(x) > 1e-8 ? std::log1p(x) / x : 1 - x / 2; }
double ExpRatio(double x) { return std::abs(x) > 1e-8 ? std::expm1(x) / x : 1 + x / 2; }

// A double in [0, 1) by the top bits of one word; std::uniform_real_distribution may differ
// between libraries, and the sequences must not.
double Fraction(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

}  // namespace

Zipf::Zipf(uint32_t rank_count, double exponent)
    : rank_count_(rank_count),
      exponent_(exponent),
      area_begin_(Integral(1.5) - 1),
      area_end_(Integral(rank_count + 0.5)),
      sure_within_(2 - InverseIntegral(Integral(2.5) - Weight(2))) {}

double Zipf::Weight(double x) const { return std::exp(-exponent_ * std::log(x)); }

double Zipf::Integral(double x) const {
  const double log_x = std::log(x);
  return ExpRatio((1 - exponent_) * log_x) * log_x;
}

double Zipf::InverseIntegral(double area) const {
  const double scaled = std::max(area * (1 - exponent_), -1.0);
  return std::exp(LogRatio(scaled) * area);
}

uint32_t Zipf::Draw(std::mt19937_64& random) const {
  while (true) {
    const double area = area_end_ + Fraction(random) * (area_begin_ - area_end_);
    const double x = InverseIntegral(area);
    const double rank = std::clamp(std::floor(x + 0.5), 1.0, rank_count_);
    if (rank - x <= sure_within_ || area >= Integral(rank + 0.5) - Weight(rank)) {
      return static_cast<uint32_t>(rank) - 1;
    }
  }
}

}  // namespace larder::bench
