// tests/bench/key_sequence.h - which item an engine benchmark asks for next.
//
// Drawn before the clock runs, and short enough (4 MiB, read in order) to cost next to nothing
// while it does; long enough that its 2^20 different places in the cache's memory do not fit into
// any processor cache.
//
// Units    item: 0-based number of an item.
// Threads  KeySequence is constant after construction; a Cursor belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace larder::bench {

class KeySequence {
 public:
  // Each of `item_count` items equally often.
  static KeySequence Uniform(uint32_t item_count);
  // The item of rank r with a weight of r^-exponent. Ranks are scattered over the items, so that
  // popular items are not neighbours in memory because they were stored one after the other.
  static KeySequence Zipf(uint32_t item_count, double exponent);

  class Cursor {
   public:
    // Threads start at different places, so that none walks in the other's cached trail.
    Cursor(const KeySequence& sequence, int thread, int thread_count);
    uint32_t Next() {
      at_ = (at_ + 1) % kLength;
      return items_[at_];
    }

   private:
    const std::vector<uint32_t>& items_;
    size_t at_;
  };

 private:
  static constexpr size_t kLength = size_t{1} << 20;
  std::vector<uint32_t> items_;
};

}  // namespace larder::bench
