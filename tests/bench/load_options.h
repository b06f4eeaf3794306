// tests/bench/load_options.h - the load generator's command line.
//
// Units    bytes and counts as the names say; numbers are plain decimals.
// Errors   ParseLoadOptions returns nullopt and a sentence in `error`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/bench/reply_reader.h"

namespace larder::bench {

// The defaults are the most common request of all: a small GET, one at a time, many clients.
struct LoadOptions {
  Operation operation = Operation::kGet;
  uint64_t port = 11211;
  uint64_t connections = 50;
  uint64_t pipeline = 1;  // requests in a batch
  uint64_t keys = 100'000;
  uint64_t value_bytes = 100;
  uint64_t keys_per_get = 1;
  uint64_t requests = 100'000;  // measured ones
  uint64_t warmup = 10'000;     // requests of the same kind before them
  uint64_t rate = 0;            // requests a second in all, sent when due; 0: as fast as it goes
  uint64_t seconds_max = 0;     // of each phase; what is not sent by then is left out. 0: no bound
  uint64_t seed = 1;
  uint64_t server_pid = 0;  // whose CPU time to report; 0 nobody's
};

[[nodiscard]] std::optional<LoadOptions> ParseLoadOptions(int argc, char* const* argv,
                                                          std::string* error);
[[nodiscard]] std::string LoadUsage();

}  // namespace larder::bench
