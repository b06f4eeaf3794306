// server/commands/stats.h - the groups of `stats`, each a table of memcached's keys in memcached's
// order (stats_*.def): dashboards read them by name, some by place.
//
// Values   of things that this engine does not have are what memcached shows when they are idle.
// Threads  any; figures are a snapshot taken while others work.
// Not here the settings, which come from server/settings.def by way of ServerView.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/reply_sink.h"
#include "server/commands/command_environment.h"
#include "slab/cache_stats.h"

namespace larder::server {

struct Microseconds {
  uint64_t count = 0;
};

// Writes `STAT <prefix><key> <value>` lines.
class StatWriter {
 public:
  explicit StatWriter(protocol::ReplySink& replies, std::string prefix = {})
      : replies_(replies), prefix_(std::move(prefix)) {}

  void Add(std::string_view key, std::string_view value);
  void Add(std::string_view key, uint64_t value);
  void Add(std::string_view key, int64_t value);
  void Add(std::string_view key, Microseconds value);  // as seconds with six decimals

 private:
  protocol::ReplySink& replies_;
  const std::string prefix_;
};

void WriteGeneralStats(const CommandEnvironment& environment, protocol::ReplySink& replies);
void WriteItemStats(const slab::CacheStats& cache, protocol::ReplySink& replies);
void WriteSlabStats(const slab::CacheStats& cache, protocol::ReplySink& replies);

}  // namespace larder::server
