// tests/bench/replay_trace.h - a replay from a trace file: comma-separated lines of
//
//     key,value bytes[,seconds to live]
//
// A first line whose second field is no number is a heading and passed over. A key is any text
// without a comma; one that a text server would not take (a space in it, over 250 bytes) is sent
// as a made key of 25 bytes. A missing or zero third field is "for ever". Values are cut at
// ValueSizes::kBytesMax. How published traces are turned into this: tests/bench/README.md.
//
// Errors   nullopt, and a sentence with the line's number in `error`.
#pragma once

#include <istream>
#include <optional>
#include <string>

#include "tests/bench/replay.h"

namespace larder::bench {

// At most `request_count_max` requests; 0: all. A trace with times to live has a clock of
// kTraceRequestsPerSecond, since its own times may be days.
inline constexpr uint64_t kTraceRequestsPerSecond = 100'000;

[[nodiscard]] std::optional<Replay> ReadTrace(std::istream& lines, uint64_t request_count_max,
                                              std::string* error);

}  // namespace larder::bench
