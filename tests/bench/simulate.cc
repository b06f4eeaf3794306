// simulate - plays one read-through workload on paper, by exact LRU, by S3-FIFO and by Belady's
// optimum, and prints their misses as one line of key=value.
//
//     simulate --workload=zipf-0.99 --capacity=400000
//
// How to run whole comparisons: scripts/bench.sh hits.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "tests/bench/replay_options.h"
#include "tests/bench/replay_policy.h"
#include "tests/bench/replay_workloads.h"

namespace larder::bench {
namespace {

int Fail(const std::string& complaint) {
  fmt::print(stderr, "simulate: {}\n", complaint);
  return 1;
}

// A trace may have any sizes, so bytes are what counts there.
Weigh HowToWeigh(const ReplayOptions& options) {
  return options.trace.empty() ? FindReplayWorkload(options.workload)->weigh : Weigh::kBytes;
}

int Main(int argc, char** argv) {
  std::string error;
  const std::optional<ReplayOptions> options = ParseReplayOptions(argc, argv, &error);
  if (!options) return Fail(error + "\n" + ReplayUsage());
  const std::optional<Replay> replay = OpenReplay(*options, &error);
  if (!replay) return Fail(error);
  const Weigh weigh = HowToWeigh(*options);
  const auto misses_of = [&](const std::unique_ptr<ReplayPolicy>& policy) {
    return Simulate(*replay, weigh, *policy);
  };
  const MissCount lru = misses_of(MakeLru(replay->item_count, options->capacity));
  const MissCount s3fifo = misses_of(MakeS3Fifo(replay->item_count, options->capacity));
  const MissCount belady = misses_of(MakeBelady(*replay, options->capacity));
  fmt::print("counted={} lru_misses={} s3fifo_misses={} optimum_misses={} lru_by_second={}\n",
             replay->requests.size() - replay->counted_from, lru.Total(), s3fifo.Total(),
             belady.Total(), JoinCounts(lru.BySecond()));
  return 0;
}

}  // namespace
}  // namespace larder::bench

int main(int argc, char** argv) { return larder::bench::Main(argc, argv); }
