// tests/bench/value_sizes.h - how large the value of each item is.
//
// An item's size follows from its number and nothing else, so that every program and every run
// gives it the same one, and a lost item comes back as large as it was.
//
// Units    bytes. `item` is 0-based.
// Threads  constant after construction.
// Errors   Parse returns nullopt and a sentence in `error`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace larder::bench {

class ValueSizes {
 public:
  // No value is larger: with its key it stays below the 1 MiB that both servers store by default.
  static constexpr uint32_t kBytesMax = 1'000'000;

  static ValueSizes Fixed(uint32_t bytes);
  // The logarithm is normally distributed: the median, and the deviation in powers of e.
  static ValueSizes LogNormal(double median, double sigma);
  // Every doubling between the two bounds is as frequent as any other.
  static ValueSizes Between(uint32_t low, uint32_t high);

  // "fixed:100", "lognormal:230:1.3" or "between:65536:1000000".
  [[nodiscard]] static std::optional<ValueSizes> Parse(std::string_view text, std::string* error);

  [[nodiscard]] uint32_t Of(uint32_t item) const;

 private:
  enum class Kind : uint8_t { kFixed, kLogNormal, kBetween };

  ValueSizes(Kind kind, double first, double second)
      : kind_(kind), first_(first), second_(second) {}

  Kind kind_;
  double first_;
  double second_;
};

// A well mixed function of `item`: what decides about an item without a table of all items.
// Different salts make unrelated functions.
[[nodiscard]] uint64_t MixedBits(uint32_t item, uint64_t salt);

}  // namespace larder::bench
