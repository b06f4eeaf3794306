#include "protocol/wire_strings.h"
#include "server/commands/stats.h"
#include "server/live_settings.h"

namespace larder::server {
namespace {

constexpr uint64_t kNone = 0;

// Makes the one width of number that StatWriter takes.
constexpr uint64_t Number(uint64_t value) { return value; }

uint64_t UptimeSeconds(const slab::Clock& clock) {
  return clock.NowSeconds() - slab::Clock::kFirstSecond;
}

}  // namespace

void WriteGeneralStats(const CommandEnvironment& environment, StatSink& sink) {
  const slab::CacheStats cache = environment.Cache().Stats();
  const slab::ClassStats& all = cache.sum;
  const NetStats net = environment.Server().Net();
  const ProcessStats process = environment.Server().Process();
  const CommandTotals commands = environment.Totals();
  const CommandOptions& options = environment.Options();
  const LiveSettings& live = environment.Server().Live();
  const Crawler& crawler = environment.Crawler();
  const EventLogStats events = environment.Events().Stats();
  const uint64_t uptime_s = UptimeSeconds(environment.Clock());

  StatWriter writer(sink);
#define STAT(key, value) writer.Add(#key, value);
#define STAT_IF(condition, key, value) \
  if (condition) writer.Add(#key, value);
#include "server/commands/stats_general.def"
#undef STAT
#undef STAT_IF
}

}  // namespace larder::server
