// `stats larder`: what only this server knows of itself.

#include "server/commands/stats.h"

namespace larder::server {
namespace {

// Makes the one width of number that StatWriter takes.
constexpr uint64_t Number(uint64_t value) { return value; }

}  // namespace

void WriteLarderStats(const CommandEnvironment& environment, StatSink& sink) {
  const slab::CacheStats cache = environment.Cache().Stats();
  const slab::ClassStats& all = cache.sum;
  const NetStats net = environment.Server().Net();
  const EventLogStats events = environment.Events().Stats();
  const std::string version = environment.Server().Version();

  StatWriter writer(sink);
#define STAT(key, value) writer.Add(#key, value);
#include "server/commands/stats_larder.def"
#undef STAT
}

}  // namespace larder::server
