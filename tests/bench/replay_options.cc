#include "tests/bench/replay_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <fstream>

#include "tests/bench/number_options.h"
#include "tests/bench/replay_trace.h"
#include "tests/bench/replay_workloads.h"

namespace larder::bench {
namespace {

using Number = NumberOption<ReplayOptions>;
using Text = TextOption<ReplayOptions>;

constexpr std::array kNumbers = {
    Number{"requests", &ReplayOptions::requests, 0, 1'000'000'000, "to play; 0: all there are"},
    Number{"port", &ReplayOptions::port, 1, 65535, "of the server, on 127.0.0.1"},
    Number{"capacity", &ReplayOptions::capacity, 1, uint64_t{1} << 40,
           "of the simulated caches: items, or bytes of keys and values"},
};
constexpr std::array kTexts = {
    Text{"workload", &ReplayOptions::workload, "see --list"},
    Text{"trace", &ReplayOptions::trace, "a file to play instead"},
};

}  // namespace

std::optional<ReplayOptions> ParseReplayOptions(int argc, char* const* argv, std::string* error) {
  ReplayOptions options;
  for (int i = 1; i < argc; ++i) {
    *error = ApplyArgument<ReplayOptions>(options, argv[i], kNumbers, kTexts);
    if (!error->empty()) return std::nullopt;
  }
  return options;
}

std::string ReplayUsage() {
  return "replay --list | replay --name=value ... | simulate --name=value ...\n" +
         OptionsHelp<ReplayOptions>(kNumbers, kTexts);
}

std::optional<Replay> OpenReplay(const ReplayOptions& options, std::string* error) {
  if (options.trace.empty()) {
    if (const ReplayWorkload* workload = FindReplayWorkload(options.workload)) {
      return MakeReplay(*workload, options.requests);
    }
    *error = fmt::format("no workload '{}'", options.workload);
    return std::nullopt;
  }
  std::ifstream file(options.trace);
  if (!file) {
    *error = fmt::format("cannot read {}", options.trace);
    return std::nullopt;
  }
  std::optional<Replay> replay = ReadTrace(file, options.requests, error);
  if (!replay) *error = fmt::format("{}: {}", options.trace, *error);
  return replay;
}

std::string JoinCounts(const std::vector<uint64_t>& counts) {
  return fmt::format("{}", fmt::join(counts, ","));
}

}  // namespace larder::bench
