// loadgen - drives one memcached text server with one kind of request and prints what it saw as
// one line of key=value. Exits 1, with a sentence on stderr, at the first reply that is not byte
// for byte what it should be, and when a key that was stored is not there.
//
//     loadgen --port=11211 --op=get --connections=8 --pipeline=64 --requests=1000000
//
// With --rate=N it sends N requests a second, however slowly they are answered, and latencies count
// from the moment a request was due.
//
// How to run whole comparisons: scripts/bench.sh. What the figures mean: tests/bench/README.md.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <thread>

#include "tests/bench/dataset.h"
#include "tests/bench/load_options.h"
#include "tests/bench/load_runner.h"
#include "tests/bench/server_cpu.h"

namespace larder::bench {
namespace {

// So many bytes of values at most are sent in one go while the dataset is stored.
constexpr uint64_t kFillBatchBytes = 256 * 1024;
constexpr uint64_t kFillPipelineMax = 64;

// Time for the server to go back to sleep, and for the kernel to charge it for its last turn.
constexpr auto kSettle = std::chrono::milliseconds(5);

struct Measurement {
  PhaseResult result;
  std::optional<uint64_t> server_cpu_ns;
};

Phase FillPhase(const LoadOptions& options) {
  const uint64_t pipeline = kFillBatchBytes / std::max<uint64_t>(options.value_bytes, 1);
  return {.operation = Operation::kSet,
          .request_count = options.keys,
          .pipeline = static_cast<uint32_t>(std::clamp<uint64_t>(pipeline, 1, kFillPipelineMax)),
          .in_order = true};
}

Phase LoadPhase(const LoadOptions& options, uint64_t request_count) {
  return {.operation = options.operation,
          .request_count = request_count,
          .pipeline = static_cast<uint32_t>(options.pipeline),
          .keys_per_request = static_cast<uint32_t>(options.keys_per_get),
          .rate = options.rate,
          .seconds_max = options.seconds_max};
}

Measurement Measure(const LoadOptions& options, LoadRunner& runner) {
  const auto cpu_ns = [&options]() -> std::optional<uint64_t> {
    if (options.server_pid == 0) return std::nullopt;
    std::this_thread::sleep_for(kSettle);
    return ProcessCpuNs(options.server_pid);
  };
  for (const Phase& phase : {FillPhase(options), LoadPhase(options, options.warmup)}) {
    PhaseResult result = runner.Run(phase);
    if (!result.complaint.empty()) return {.result = std::move(result), .server_cpu_ns = {}};
  }
  const std::optional<uint64_t> before_ns = cpu_ns();
  Measurement measurement{.result = runner.Run(LoadPhase(options, options.requests)),
                          .server_cpu_ns = {}};
  const std::optional<uint64_t> after_ns = cpu_ns();
  if (before_ns && after_ns) measurement.server_cpu_ns = *after_ns - *before_ns;
  return measurement;
}

void Print(const Measurement& measurement) {
  const PhaseResult& result = measurement.result;
  const double seconds = static_cast<double>(result.elapsed_ns) / 1e9;
  const auto percentile_us = [&result](double fraction) {
    return static_cast<double>(result.latencies.PercentileNs(fraction)) / 1e3;
  };
  fmt::print("requests={} errors={} seconds={:.6f} throughput={:.0f} ", result.request_count,
             result.miss_count + (result.complaint.empty() ? 0 : 1), seconds,
             static_cast<double>(result.request_count) / seconds);
  fmt::print("p50_us={:.1f} p99_us={:.1f} p999_us={:.1f} max_us={:.1f} ", percentile_us(0.5),
             percentile_us(0.99), percentile_us(0.999), percentile_us(1.0));
  fmt::print("hits={} misses={} bytes_sent={} bytes_received={}", result.hit_count,
             result.miss_count, result.sent_bytes, result.received_bytes);
  if (measurement.server_cpu_ns) {
    fmt::print(" server_cpu_us_per_request={:.4f}",
               static_cast<double>(*measurement.server_cpu_ns) / 1e3 /
                   static_cast<double>(std::max<uint64_t>(result.request_count, 1)));
  }
  fmt::print("\n");
}

int Fail(const std::string& complaint) {
  fmt::print(stderr, "loadgen: {}\n", complaint);
  return 1;
}

int Main(int argc, char** argv) {
  std::string error;
  const std::optional<LoadOptions> options = ParseLoadOptions(argc, argv, &error);
  if (!options) return Fail(error + "\n" + LoadUsage());
  const Dataset dataset(static_cast<uint32_t>(options->keys),
                        static_cast<uint32_t>(options->value_bytes));
  LoadRunner runner(*options, dataset);
  if (error = runner.Connect(); !error.empty()) return Fail(error);

  const Measurement measurement = Measure(*options, runner);
  Print(measurement);
  if (!measurement.result.complaint.empty()) return Fail(measurement.result.complaint);
  if (measurement.result.miss_count > 0) {
    return Fail("misses: the server did not keep all keys; give it more memory, or fewer keys");
  }
  if (options->server_pid != 0 && !measurement.server_cpu_ns) {
    return Fail("the kernel does not tell the CPU time of the server's threads");
  }
  return 0;
}

}  // namespace
}  // namespace larder::bench

int main(int argc, char** argv) { return larder::bench::Main(argc, argv); }
