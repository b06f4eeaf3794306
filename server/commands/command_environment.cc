#include "server/commands/command_environment.h"

#include <algorithm>

namespace larder::server {

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
