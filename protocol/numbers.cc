#include "protocol/numbers.h"

#include <limits>

namespace larder::protocol {
namespace {

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// All of `digits`, or nullopt for another character or a number above `max`.
std::optional<uint64_t> ParseDigits(std::string_view digits, uint64_t max) {
  uint64_t number = 0;
  bool overflows = false;
  for (const char c : digits) {
    if (!IsDigit(c)) return std::nullopt;
    overflows |= __builtin_mul_overflow(number, uint64_t{10}, &number);
    overflows |= __builtin_add_overflow(number, static_cast<uint64_t>(c - '0'), &number);
  }
  if (overflows || number > max) return std::nullopt;
  return number;
}

// The usual case: a few digits, then a space or the end. Nullopt means "look closer".
std::optional<uint32_t> ParseShortNumber(std::string_view text) {
  constexpr size_t kShortDigitsMax = 9;  // cannot overflow 32 bits, signed or not
  uint32_t number = 0;
  size_t i = 0;
  for (; i < text.size() && IsDigit(text[i]); ++i) {
    if (i == kShortDigitsMax) return std::nullopt;
    number = number * 10 + static_cast<uint32_t>(text[i] - '0');
  }
  if (i == 0 || (i < text.size() && text[i] != ' ')) return std::nullopt;
  return number;
}

struct SignedDigits {
  bool negative = false;
  uint64_t magnitude = 0;
};

std::optional<SignedDigits> ParseLenient(std::string_view text) {
  size_t i = 0;
  while (i < text.size() && IsSpace(text[i])) ++i;
  SignedDigits result;
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) result.negative = text[i++] == '-';
  const size_t first_digit = i;
  while (i < text.size() && IsDigit(text[i])) ++i;
  if (i == first_digit) return std::nullopt;
  if (i < text.size() && !IsSpace(text[i]) && text[i] != '\0') return std::nullopt;
  const auto magnitude =
      ParseDigits(text.substr(first_digit, i - first_digit), std::numeric_limits<uint64_t>::max());
  if (!magnitude) return std::nullopt;
  result.magnitude = *magnitude;
  return result;
}

constexpr uint64_t kInt64Max = std::numeric_limits<int64_t>::max();

}  // namespace

std::optional<int32_t> ParseStrictInt32(std::string_view token) {
  if (const auto number = ParseShortNumber(token)) return static_cast<int32_t>(*number);
  if (token.empty() || token.size() > kStrict32DigitsMax) return std::nullopt;
  constexpr uint64_t kMax = std::numeric_limits<int32_t>::max();
  if (token.front() != '-') {
    const auto number = ParseDigits(token, kMax);
    if (!number) return std::nullopt;
    return static_cast<int32_t>(*number);
  }
  const auto magnitude = ParseDigits(token.substr(1), kMax + 1);
  if (!magnitude) return std::nullopt;
  return static_cast<int32_t>(-static_cast<int64_t>(*magnitude));
}

std::optional<uint32_t> ParseStrictUint32(std::string_view token) {
  if (token.empty() || token.size() > kStrict32DigitsMax) return std::nullopt;
  const auto number = ParseDigits(token, std::numeric_limits<uint32_t>::max());
  if (!number) return std::nullopt;
  return static_cast<uint32_t>(*number);
}

std::optional<uint64_t> ParseStrictUint64(std::string_view token) {
  if (token.empty() || token.size() > kStrict64DigitsMax) return std::nullopt;
  return ParseDigits(token, std::numeric_limits<uint64_t>::max());
}

std::optional<uint32_t> ParseLenientFlags(std::string_view text) {
  if (const auto number = ParseShortNumber(text)) return number;
  const auto digits = ParseLenient(text);
  if (!digits) return std::nullopt;
  if (!digits->negative) return static_cast<uint32_t>(digits->magnitude);
  // Negated in 64 bits, unsigned. What is still negative then is refused; -(2^64 - 1) is 1.
  const uint64_t negated = uint64_t{0} - digits->magnitude;
  if (negated > kInt64Max) return std::nullopt;
  return static_cast<uint32_t>(negated);
}

std::optional<int32_t> ParseLenientExptime(std::string_view text) {
  if (const auto number = ParseShortNumber(text)) return static_cast<int32_t>(*number);
  const auto digits = ParseLenient(text);
  if (!digits) return std::nullopt;
  if (digits->magnitude > kInt64Max + (digits->negative ? 1 : 0)) return std::nullopt;
  const uint64_t bits = digits->negative ? uint64_t{0} - digits->magnitude : digits->magnitude;
  return static_cast<int32_t>(static_cast<uint32_t>(bits));
}

}  // namespace larder::protocol
