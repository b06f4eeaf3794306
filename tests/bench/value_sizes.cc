#include "tests/bench/value_sizes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <vector>

namespace larder::bench {
namespace {

// From the bits of one word, in (0, 1): the logarithm of 0 has no place in a size.
double OpenFraction(uint64_t bits) { return (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53; }

// Box and Muller: two uniform fractions make a normally distributed number.
double Normal(uint32_t item) {
  const double radius = std::sqrt(-2 * std::log(OpenFraction(MixedBits(item, 1))));
  return radius * std::cos(2 * std::numbers::pi * OpenFraction(MixedBits(item, 2)));
}

// A number from 0 up to what a value may have of bytes, or -1.
double ParseNumber(std::string_view text) {
  double number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc() || end != text.data() + text.size()) return -1;
  return number >= 0 && number <= ValueSizes::kBytesMax ? number : -1;
}

// What stands behind each colon; nullopt when one is no number.
std::optional<std::vector<double>> NumbersBehindColons(std::string_view text) {
  std::vector<double> numbers;
  for (size_t colon = text.find(':'); colon != std::string_view::npos;) {
    text.remove_prefix(colon + 1);
    colon = text.find(':');
    numbers.push_back(ParseNumber(text.substr(0, colon)));
    if (numbers.back() < 0) return std::nullopt;
  }
  return numbers;
}

}  // namespace

uint64_t MixedBits(uint32_t item, uint64_t salt) {
  // The finisher of SplitMix64: every bit of the input moves every bit of the result.
  uint64_t bits = (item + 1) * 0x9E3779B97F4A7C15 + salt * 0xD1B54A32D192ED03;
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
  return bits ^ (bits >> 31);
}

ValueSizes ValueSizes::Fixed(uint32_t bytes) { return {Kind::kFixed, double(bytes), 0}; }

ValueSizes ValueSizes::LogNormal(double median, double sigma) {
  return {Kind::kLogNormal, median, sigma};
}

ValueSizes ValueSizes::Between(uint32_t low, uint32_t high) {
  return {Kind::kBetween, double(low), double(high)};
}

std::optional<ValueSizes> ValueSizes::Parse(std::string_view text, std::string* error) {
  const std::string_view word = text.substr(0, text.find(':'));
  if (const auto numbers = NumbersBehindColons(text)) {
    const std::vector<double>& given = *numbers;
    if (word == "fixed" && given.size() == 1) return ValueSizes(Kind::kFixed, given[0], 0);
    if (word == "lognormal" && given.size() == 2) return LogNormal(given[0], given[1]);
    if (word == "between" && given.size() == 2 && given[0] >= 1 && given[1] >= given[0]) {
      return ValueSizes(Kind::kBetween, given[0], given[1]);
    }
  }
  *error = fmt::format(
      "sizes are fixed:BYTES, lognormal:MEDIAN:SIGMA or between:LOW:HIGH, up to {} bytes, not '{}'",
      kBytesMax, text);
  return std::nullopt;
}

uint32_t ValueSizes::Of(uint32_t item) const {
  double bytes = first_;
  if (kind_ == Kind::kLogNormal) bytes = first_ * std::exp(second_ * Normal(item));
  if (kind_ == Kind::kBetween) {
    bytes = first_ * std::pow(second_ / first_, OpenFraction(MixedBits(item, 1)));
  }
  return static_cast<uint32_t>(std::clamp(std::round(bytes), 0.0, double(kBytesMax)));
}

}  // namespace larder::bench
