#include "tests/bench/key_text.h"

#include <cstring>

namespace larder::bench {

std::string_view KeyText::Of(uint32_t item) {
  // Eight hexadecimal digits at once: spread the nibbles over the bytes of a word, the highest
  // first in memory, then turn each byte into its digit.
  uint64_t digits = item;
  digits = (digits | digits << 16) & 0x0000FFFF0000FFFF;
  digits = (digits | digits << 8) & 0x00FF00FF00FF00FF;
  digits = (digits | digits << 4) & 0x0F0F0F0F0F0F0F0F;
  const uint64_t letters = ((digits + 0x0606060606060606) >> 4) & 0x0101010101010101;
  digits += 0x3030303030303030 + letters * ('a' - '9' - 1);
  digits = __builtin_bswap64(digits);
  std::memcpy(text_.data() + text_.size() - sizeof digits, &digits, sizeof digits);
  return {text_.data(), text_.size()};
}

}  // namespace larder::bench
