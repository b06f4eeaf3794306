#include "tests/bench/key_sequence.h"

#include <random>

#include "tests/bench/zipf.h"

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
  std::mt19937_64 random(kSeed);
  const bench::Zipf zipf(item_count, exponent);
  KeySequence sequence;
  sequence.items_.resize(kLength);
  for (uint32_t& next : sequence.items_) {
    const uint64_t rank = zipf.Draw(random);
    next = static_cast<uint32_t>(rank * kScatterPrime % item_count);
  }
  return sequence;
}

KeySequence::Cursor::Cursor(const KeySequence& sequence, int thread, int thread_count)
    : items_(sequence.items_),
      at_(kLength / static_cast<size_t>(thread_count) * static_cast<size_t>(thread)) {}

}  // namespace larder::bench
