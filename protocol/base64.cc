#include "protocol/base64.h"

#include <array>
#include <cstdint>

namespace larder::protocol {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char kPadding = '=';
constexpr size_t kGroupBytes = 4;  // of text; three of what it stands for
constexpr uint8_t kForeign = 64;   // no value of six bits

constexpr std::array<uint8_t, 256> MakeValues() {
  std::array<uint8_t, 256> values{};
  values.fill(kForeign);
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<uint8_t>(i);
  }
  return values;
}
constexpr std::array<uint8_t, 256> kValues = MakeValues();

uint32_t ByteAt(std::string_view plain, size_t at) {
  return at < plain.size() ? static_cast<unsigned char>(plain[at]) : 0;
}

}  // namespace

char* EncodeBase64(std::string_view plain, char* to) {
  for (size_t at = 0; at < plain.size(); at += 3) {
    const uint32_t group =
        ByteAt(plain, at) << 16 | ByteAt(plain, at + 1) << 8 | ByteAt(plain, at + 2);
    const size_t left_bytes = plain.size() - at;
    *to++ = kAlphabet[group >> 18];
    *to++ = kAlphabet[group >> 12 & 63];
    *to++ = left_bytes > 1 ? kAlphabet[group >> 6 & 63] : kPadding;
    *to++ = left_bytes > 2 ? kAlphabet[group & 63] : kPadding;
  }
  return to;
}

std::optional<size_t> DecodeBase64(std::string_view text, char* to) {
  if (text.empty() || text.size() % kGroupBytes != 0) return std::nullopt;
  size_t padding_bytes = 0;
  while (padding_bytes < 2 && text[text.size() - 1 - padding_bytes] == kPadding) ++padding_bytes;

  const char* const begin = to;
  for (size_t at = 0; at < text.size(); at += kGroupBytes) {
    const bool is_last = at + kGroupBytes == text.size();
    const size_t letters = kGroupBytes - (is_last ? padding_bytes : 0);
    uint32_t group = 0;
    for (size_t i = 0; i < kGroupBytes; ++i) {
      const uint8_t value = i < letters ? kValues[static_cast<unsigned char>(text[at + i])] : 0;
      if (value == kForeign) return std::nullopt;
      group = group << 6 | value;
    }
    for (size_t i = 1; i < letters; ++i) *to++ = static_cast<char>(group >> (24 - 8 * i) & 0xff);
  }
  return static_cast<size_t>(to - begin);
}

}  // namespace larder::protocol
