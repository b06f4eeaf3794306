#include "tests/bench/memory_chase.h"

#include <bit>
#include <cassert>

namespace larder::bench {
namespace {

// A linear congruence modulo a power of two, which has its full period when the increment is odd
// and the multiplier is 1 modulo 4 (Hull and Dobell). It is scattered enough that no prefetcher
// follows it, and computed line by line, so that building the round costs no misses.
constexpr uint64_t kMultiplier = 6364136223846793005;
constexpr uint64_t kIncrement = 1442695040888963407;
static_assert(kMultiplier % 4 == 1 && kIncrement % 2 == 1);

}  // namespace

MemoryChase::MemoryChase(size_t bytes) : lines_(bytes / kLineBytes) {
  assert(std::has_single_bit(bytes) && lines_.size() >= 16);
  const uint64_t mask = lines_.size() - 1;
  for (uint64_t i = 0; i <= mask; ++i) {
    lines_[i].next = static_cast<uint32_t>((i * kMultiplier + kIncrement) & mask);
  }
}

}  // namespace larder::bench
