#include "server/commands/command_environment.h"

#include <algorithm>

#include "server/live_settings.h"

namespace larder::server {

CommandEnvironment::CommandEnvironment(slab::Cache& cache, const slab::Clock& clock,
                                       ServerView& server, const CommandOptions& options,
                                       EventLog* events)
    : cache_(cache),
      clock_(clock),
      server_(server),
      options_(options),
      events_(events == nullptr ? nobodys_events_ : *events),
      crawler_(cache, server),
      prefixes_(server.Live().detail_enabled, options.prefix_delimiter) {}

CommandCounters& CommandEnvironment::AddWorkerCounters() { return counters_.emplace_back(); }

CommandTotals CommandEnvironment::Sum() const {
  CommandTotals sum;
  for (const CommandCounters& worker : counters_) {
#define COUNTER(name) sum.name += worker.name.load(std::memory_order_relaxed);
#include "server/commands/command_counters.def"
#undef COUNTER
  }
  return sum;
}

CommandTotals CommandEnvironment::Totals() const {
  CommandTotals totals = Sum();
  // The zero point may be newer than what this thread sees of the counters, never by much.
#define COUNTER(name) \
  totals.name -= std::min(totals.name, zero_.name.load(std::memory_order_relaxed));
#include "server/commands/command_counters.def"
#undef COUNTER
  return totals;
}

void CommandEnvironment::ResetCounters() {
  const CommandTotals sum = Sum();
#define COUNTER(name) zero_.name.store(sum.name, std::memory_order_relaxed);
#include "server/commands/command_counters.def"
#undef COUNTER
}

}  // namespace larder::server
