#include "tests/bench/key_sequence.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

namespace larder::bench {
namespace {

constexpr uint64_t kSeed = 1;  // the same sequence in every run: one thing less to differ

// Above every item count in use, and a prime, so multiplying by it modulo the count permutes the
// items.
constexpr uint64_t kScatterPrime = 4'294'967'291;

}  // namespace

KeySequence KeySequence::Uniform(uint32_t item_count) {
  std::mt19937_64 random(kSeed);
  std::uniform_int_distribution<uint32_t> item(0, item_count - 1);
  KeySequence sequence;
  sequence.items_.resize(kLength);
  for (uint32_t& next : sequence.items_) next = item(random);
  return sequence;
}

KeySequence KeySequence::Zipf(uint32_t item_count, double exponent) {
  std::vector<double> weight_up_to(item_count);
  double sum = 0;
  for (uint32_t rank = 0; rank < item_count; ++rank) {
    sum += std::pow(rank + 1, -exponent);
    weight_up_to[rank] = sum;
  }
  std::mt19937_64 random(kSeed);
  std::uniform_real_distribution<double> weight(0, sum);
  KeySequence sequence;
  sequence.items_.resize(kLength);
  for (uint32_t& next : sequence.items_) {
    const auto place =
        std::upper_bound(weight_up_to.begin(), weight_up_to.end() - 1, weight(random));
    const auto rank = static_cast<uint64_t>(place - weight_up_to.begin());
    next = static_cast<uint32_t>(rank * kScatterPrime % item_count);
  }
  return sequence;
}

KeySequence::Cursor::Cursor(const KeySequence& sequence, int thread, int thread_count)
    : items_(sequence.items_),
      at_(kLength / static_cast<size_t>(thread_count) * static_cast<size_t>(thread)) {}

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
