#include "slab/decimal.h"

#include <algorithm>
#include <charconv>

namespace larder::slab {

namespace {

constexpr bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

std::optional<uint64_t> ParseStoredDecimal(std::string_view value) {
  while (!value.empty() && IsSpace(value.front())) value.remove_prefix(1);
  bool negative = false;
  if (!value.empty() && (value.front() == '+' || value.front() == '-')) {
    negative = value.front() == '-';
    value.remove_prefix(1);
  }
  uint64_t number = 0;
  const char* const end = value.data() + value.size();
  const std::from_chars_result parsed = std::from_chars(value.data(), end, number);
  if (parsed.ec != std::errc()) return std::nullopt;
  if (parsed.ptr != end && !IsSpace(*parsed.ptr) && *parsed.ptr != '\0') return std::nullopt;
  if (negative && number != 0) return std::nullopt;
  return number;
}

uint32_t DecimalDigits(uint64_t number) {
  uint32_t digits = 1;
  for (; number >= 10; number /= 10) ++digits;
  return digits;
}

void WritePaddedDecimal(uint64_t number, std::span<char> out) {
  const std::to_chars_result written = std::to_chars(out.data(), out.data() + out.size(), number);
  std::fill(written.ptr, out.data() + out.size(), ' ');
}

}  // namespace larder::slab
