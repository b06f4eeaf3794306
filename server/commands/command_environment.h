// server/commands/command_environment.h - what the commands of all workers share: the cache, the
// clock, the process around them, the options that change what a command may do.
//
// Owner    owns its counters, the crawler and the prefixes; cache, clock, server and events must
//          outlive it, and it must outlive every CommandService.
// Threads  built, and its workers added, before the workers run; from then on all members from
//          any thread. A worker's own counters are written by its thread only.
// Not here what one worker has for itself: worker_context.h
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>

#include "server/commands/crawler.h"
#include "server/commands/prefix_stats.h"
#include "server/commands/server_view.h"
#include "server/observe/event_log.h"
#include "slab/cache.h"
#include "slab/clock.h"

namespace larder::server {

struct CommandOptions {
  // Largest item as memcached counts it: key, value and its own header (-I). See storage.h.
  uint32_t item_bytes_max = 1024 * 1024;
  bool use_cas = true;            // off: -C
  bool flush_enabled = true;      // off: -F
  bool dump_enabled = true;       // off: -X
  bool watch_enabled = true;      // off: -W
  bool shutdown_enabled = false;  // on: -A
  bool slab_reassign = true;
  bool lru_maintainer = true;
  bool preallocate = false;  // -L: the limit stays what it is
  bool track_sizes = false;
  bool maxconns_fast = true;
  uint32_t idle_timeout_s = 0;
  char prefix_delimiter = ':';
  // Only reported, by `stats`.
  uint32_t connections_max = 1024;
  uint32_t thread_count = 4;
};

// Relaxed, all of them: each has a single writer, and a reader that sees the value of a moment ago
// is as right as one that asked earlier.
struct CommandCounters {
#define COUNTER(name) std::atomic<uint64_t> name = 0;
#include "server/commands/command_counters.def"
#undef COUNTER
};

// REQUIRES: the caller is the counter's only writer.
inline void CountOne(std::atomic<uint64_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

struct CommandTotals {
#define COUNTER(name) uint64_t name = 0;
#include "server/commands/command_counters.def"
#undef COUNTER
};

class CommandEnvironment {
 public:
  // `events`: null when there is nothing to watch.
  CommandEnvironment(slab::Cache& cache, const slab::Clock& clock, ServerView& server,
                     const CommandOptions& options, EventLog* events = nullptr);
  CommandEnvironment(const CommandEnvironment&) = delete;
  CommandEnvironment& operator=(const CommandEnvironment&) = delete;

  [[nodiscard]] slab::Cache& Cache() const { return cache_; }
  [[nodiscard]] const slab::Clock& Clock() const { return clock_; }
  [[nodiscard]] ServerView& Server() const { return server_; }
  [[nodiscard]] const CommandOptions& Options() const { return options_; }
  [[nodiscard]] EventLog& Events() const { return events_; }
  [[nodiscard]] server::Crawler& Crawler() { return crawler_; }
  [[nodiscard]] const server::Crawler& Crawler() const { return crawler_; }
  [[nodiscard]] PrefixStats& Prefixes() { return prefixes_; }

  // Counters for one more worker; they stay as long as the environment.
  // REQUIRES: no worker runs yet.
  CommandCounters& AddWorkerCounters();
  // Since the start, or since the last ResetCounters.
  [[nodiscard]] CommandTotals Totals() const;
  void ResetCounters();

 private:
  [[nodiscard]] CommandTotals Sum() const;

  slab::Cache& cache_;
  const slab::Clock& clock_;
  ServerView& server_;
  const CommandOptions options_;
  EventLog nobodys_events_;
  EventLog& events_;
  server::Crawler crawler_;
  PrefixStats prefixes_;
  std::deque<CommandCounters> counters_;  // a deque: references to its elements stay good
  // What the counters showed at the last reset. Only their own threads write them, so a reset
  // moves the zero point instead.
  CommandCounters zero_;
};

}  // namespace larder::server
