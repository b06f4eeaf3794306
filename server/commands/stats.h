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

#include "protocol/outcome.h"
#include "protocol/reply_sink.h"
#include "protocol/tokens.h"
#include "server/commands/command_environment.h"
#include "server/commands/worker_context.h"
#include "slab/cache_stats.h"

namespace larder::server {

struct Microseconds {
  uint64_t count = 0;
};

struct Nanoseconds {
  uint64_t count = 0;
};

// Where figures go, one at a time: each protocol dresses them its own way.
class StatSink {
 public:
  virtual void Emit(std::string_view key, std::string_view value) = 0;

 protected:
  ~StatSink() = default;
};

// `STAT <key> <value>` lines. The binary protocol's packets: binary_stats.cc.
class TextStatSink final : public StatSink {
 public:
  explicit TextStatSink(protocol::ReplySink& replies) : replies_(replies) {}
  void Emit(std::string_view key, std::string_view value) override;

 private:
  protocol::ReplySink& replies_;
};

// Makes texts of figures, and puts what they have in common before their keys.
class StatWriter {
 public:
  explicit StatWriter(StatSink& sink, std::string prefix = {})
      : sink_(sink), prefix_(std::move(prefix)) {}

  void Add(std::string_view key, std::string_view value);
  void Add(std::string_view key, uint64_t value);
  void Add(std::string_view key, int64_t value);
  void Add(std::string_view key, Microseconds value);  // as seconds with six decimals
  void Add(std::string_view key, Nanoseconds value);   // as microseconds with three

 private:
  StatSink& sink_;
  const std::string prefix_;
};

void WriteGeneralStats(const CommandEnvironment& environment, StatSink& sink);
void WriteItemStats(const CommandEnvironment& environment, StatSink& sink);
void WriteSlabStats(const CommandEnvironment& environment, StatSink& sink);
void WriteSettings(const CommandEnvironment& environment, StatSink& sink);
// What can be said of sizes at once: whether they can be asked for.
void WriteSizes(const CommandEnvironment& environment, StatSink& sink);
// What only Larder knows.
void WriteLarderStats(const CommandEnvironment& environment, StatSink& sink);
void ResetStats(CommandEnvironment& environment);

// Groups that are answered in the text protocol only, and the answer of most takes several turns:
// stats_dumps.cc and stats_connections.cc. `words`: the line's.
protocol::Outcome HandleStatsDetail(WorkerContext& context, const protocol::TokenList& words);
protocol::Outcome HandleStatsCachedump(WorkerContext& context, const protocol::TokenList& words);
protocol::Outcome HandleStatsSizes(WorkerContext& context, protocol::ReplySink& replies);
protocol::Outcome HandleStatsConnections(WorkerContext& context);

}  // namespace larder::server
