// tests/bench/replay_policy.h - caches that exist on paper only: which items a policy would hold,
// to say how far from it a server is.
//
// Capacity is a sum of weights. A weight of 1 for each item compares policies at a number of items;
// a weight of key and value bytes at a number of bytes. Overhead is no subject here.
//
// Units    item: 0-based; `at`: index of the request in the replay, which is also the clock.
// Threads  one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "tests/bench/replay.h"

namespace larder::bench {

class ReplayPolicy {
 public:
  static constexpr size_t kNever = std::numeric_limits<size_t>::max();

  virtual ~ReplayPolicy() = default;

  // Whether the item is held; what a hit does to the order is the policy's.
  virtual bool Read(uint32_t item, size_t at) = 0;
  // Makes room and takes the item. One that is heavier than the capacity is not taken.
  // REQUIRES: the item is not held; weight >= 1.
  virtual void Store(uint32_t item, uint64_t weight, size_t at, size_t expires_at) = 0;
  // Forgets the item, if it is held.
  virtual void Remove(uint32_t item) = 0;
};

// The least recently used leaves.
[[nodiscard]] std::unique_ptr<ReplayPolicy> MakeLru(uint32_t item_count, uint64_t capacity);

// S3-FIFO as published (SOSP 2023): a small queue of a tenth, which only items read twice leave
// for the main queue; a main queue with a count of up to 3 reads; a ghost queue as long as main.
[[nodiscard]] std::unique_ptr<ReplayPolicy> MakeS3Fifo(uint32_t item_count, uint64_t capacity);

// Belady's: the one whose next request is farthest away leaves, be it the one just stored. With
// weights of 1 nothing can miss less. With bytes it is no exact bound, since it looks at
// distance and not at size: a small item far away may be worth more than a large one nearby.
[[nodiscard]] std::unique_ptr<ReplayPolicy> MakeBelady(const Replay& replay, uint64_t capacity);

enum class Weigh : uint8_t { kItems, kBytes };

// Plays the replay. An item that expires is gone at once.
[[nodiscard]] MissCount Simulate(const Replay& replay, Weigh weigh, ReplayPolicy& policy);

}  // namespace larder::bench
