// tests/bench/replay.h - the requests of one read-through replay: each asks for an item, and
// stores it when it is not there.
//
// Units    item: 0-based number; bytes and seconds as the names say.
// Not here who makes them: replay_workloads.h, replay_trace.h; who plays them: replay_client.h
//          (over the wire), replay_policy.h (simulated)
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace larder::bench {

struct ReplayRequest {
  uint32_t item;
  uint32_t value_bytes;
  uint32_t ttl_s = 0;  // 0: never expires
};

struct Replay {
  std::vector<ReplayRequest> requests;
  uint32_t item_count = 0;
  std::vector<std::string> keys = {};  // of the items; empty: ItemKeys makes them
  // Requests before this one fill the cache (or belong to the time before a shift); their misses
  // are nobody's fault and are not counted.
  size_t counted_from = 0;
  // 0: as fast as answers come. Otherwise the clock is part of the workload.
  uint64_t requests_per_second = 0;
};

// Misses of the requests from `counted_from` on, in all and by stretches of a second.
class MissCount {
 public:
  explicit MissCount(const Replay& replay)
      : counted_from_(replay.counted_from), stretch_(replay.requests_per_second) {
    const size_t counted = replay.requests.size() - replay.counted_from;
    if (stretch_ > 0) by_second_.resize((counted + stretch_ - 1) / stretch_);
  }

  // The request of that index missed.
  void Add(size_t request) {
    if (request < counted_from_) return;
    ++total_;
    if (stretch_ > 0) ++by_second_[(request - counted_from_) / stretch_];
  }

  [[nodiscard]] uint64_t Total() const { return total_; }
  // Empty when the replay has no clock. The last may be a part of a second.
  [[nodiscard]] const std::vector<uint64_t>& BySecond() const { return by_second_; }

 private:
  size_t counted_from_;
  uint64_t stretch_;
  uint64_t total_ = 0;
  std::vector<uint64_t> by_second_;
};

}  // namespace larder::bench
