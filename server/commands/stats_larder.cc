// `stats larder`: what only this server knows of itself.

#include <fmt/format.h>

#include <algorithm>

#include "server/commands/stats.h"

namespace larder::server {
namespace {

// Makes the one width of number that StatWriter takes.
constexpr uint64_t Number(uint64_t value) { return value; }

// Where each class's pages went.
void WriteWaste(const slab::CacheStats& cache, StatSink& sink) {
  for (const slab::ClassStats& each : cache.classes) {
    if (each.page_count == 0) continue;
    const uint64_t given_bytes = each.used_chunk_count * each.chunk_bytes;
    StatWriter writer(sink, fmt::format("slab:{}:", each.class_id));
#define STAT(key, value) writer.Add(#key, value);
#include "server/commands/stats_larder_slabs.def"
#undef STAT
  }
}

}  // namespace

void WriteLarderStats(const CommandEnvironment& environment, StatSink& sink) {
  const slab::CacheStats cache = environment.Cache().Stats();
  const slab::ClassStats& all = cache.sum;
  const NetStats net = environment.Server().Net();
  const LatencyStats latency = environment.Server().Latency();
  const EventLogStats events = environment.Events().Stats();
  const std::string version = environment.Server().Version();

  {
    StatWriter writer(sink);
#define STAT(key, value) writer.Add(#key, value);
#include "server/commands/stats_larder.def"
#undef STAT
  }
  WriteWaste(cache, sink);
}

}  // namespace larder::server
