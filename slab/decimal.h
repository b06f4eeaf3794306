// slab/decimal.h - numbers as `incr` and `decr` find them in values and leave them there.
//
// Source   memcached's behaviour, which is strtoull's: leading white space, one sign, any number
//          of zeros; the number ends at white space, a NUL byte or the end of the value.
// Threads  pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace larder::slab {

inline constexpr uint32_t kDecimalDigitsMax = 20;  // of 2^64 - 1

// nullopt: not a number, negative, or 2^64 and more. "-0" is 0.
[[nodiscard]] std::optional<uint64_t> ParseStoredDecimal(std::string_view value);

[[nodiscard]] uint32_t DecimalDigits(uint64_t number);

// REQUIRES: out.size() >= DecimalDigits(number). The rest is filled with spaces.
void WritePaddedDecimal(uint64_t number, std::span<char> out);

}  // namespace larder::slab
