// replay - plays one read-through workload against one memcached text server and prints what
// became of it as one line of key=value. `replay --list` prints the workloads there are.
//
//     replay --port=11211 --workload=zipf-0.99
//     replay --port=11211 --trace=requests.csv
//
// How to run whole comparisons: scripts/bench.sh hits.
#include <fmt/format.h>

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "tests/bench/replay_client.h"
#include "tests/bench/replay_options.h"
#include "tests/bench/replay_workloads.h"

namespace larder::bench {
namespace {

void PrintList() {
  for (const ReplayWorkload& workload : ReplayWorkloads()) {
    fmt::print("{}\t{}\t{}\t{}\n", workload.name, workload.request_count,
               workload.weigh == Weigh::kItems ? "items" : "bytes", workload.what);
  }
}

int Fail(const std::string& complaint) {
  fmt::print(stderr, "replay: {}\n", complaint);
  return 1;
}

int Main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--list") {
    PrintList();
    return 0;
  }
  std::string error;
  const std::optional<ReplayOptions> options = ParseReplayOptions(argc, argv, &error);
  if (!options) return Fail(error + "\n" + ReplayUsage());
  const std::optional<Replay> replay = OpenReplay(*options, &error);
  if (!replay) return Fail(error);
  TextClient client;
  if (!client.Connect(static_cast<uint16_t>(options->port))) return Fail(client.Complaint());
  const std::optional<ReplayOutcome> outcome = PlayReplay(*replay, client);
  if (!outcome) return Fail(client.Complaint());
  fmt::print("requests={} counted={} misses={} refused={} seconds={:.3f} per_second={} ",
             replay->requests.size(), replay->requests.size() - replay->counted_from,
             outcome->misses.Total(), outcome->refused_count, outcome->seconds,
             replay->requests_per_second);
  fmt::print("current_items={} held_items={} held_bytes={} misses_by_second={}\n",
             outcome->current_items, outcome->held.item_count,
             outcome->held.key_bytes + outcome->held.value_bytes,
             JoinCounts(outcome->misses.BySecond()));
  return 0;
}

}  // namespace
}  // namespace larder::bench

int main(int argc, char** argv) { return larder::bench::Main(argc, argv); }
