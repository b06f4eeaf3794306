// tests/bench/replay_workloads.h - the made replays: what they are called, how long they are, and
// their requests, which are the same in every run.
//
// The first third of a replay is not counted: it fills the cache, or is the time before a shift.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tests/bench/replay.h"
#include "tests/bench/replay_policy.h"

namespace larder::bench {

struct ReplayWorkload {
  std::string_view name;
  std::string_view what;  // for the table
  Replay (*make)(const ReplayWorkload& workload, size_t request_count);
  double zipf_exponent;
  Weigh weigh;  // how policies are given as much as a server holds
  uint64_t request_count;
  uint64_t requests_per_second;  // 0: as fast as answers come
};

[[nodiscard]] std::span<const ReplayWorkload> ReplayWorkloads();
// nullptr when there is none of that name.
[[nodiscard]] const ReplayWorkload* FindReplayWorkload(std::string_view name);

// The workload with so many requests; 0: its own number.
[[nodiscard]] Replay MakeReplay(const ReplayWorkload& workload, uint64_t request_count);

}  // namespace larder::bench
