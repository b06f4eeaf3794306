// tests/bench/replay_options.h - the command lines of `replay` and `simulate`, and which replay
// they mean.
//
// Errors   nullopt, and a sentence in `error`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/bench/replay.h"

namespace larder::bench {

struct ReplayOptions {
  std::string workload = "zipf-0.99";
  std::string trace;      // a file; if given, instead of a workload
  uint64_t requests = 0;  // 0: as many as the workload or the trace has
  uint64_t port = 11211;  // of the server, for `replay`
  uint64_t capacity = 1;  // items, or bytes of keys and values, for `simulate`
};

[[nodiscard]] std::optional<ReplayOptions> ParseReplayOptions(int argc, char* const* argv,
                                                              std::string* error);
[[nodiscard]] std::string ReplayUsage();

// Makes or reads what the options ask for.
[[nodiscard]] std::optional<Replay> OpenReplay(const ReplayOptions& options, std::string* error);

// "1,2,3"
[[nodiscard]] std::string JoinCounts(const std::vector<uint64_t>& counts);

}  // namespace larder::bench
