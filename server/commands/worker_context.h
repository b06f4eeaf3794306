// server/commands/worker_context.h - what the commands of one worker thread work with.
//
// Owner    references only; the worker belongs to the cache, the counters to the environment.
// Threads  the worker's own thread, between the start and the end of a turn.
#pragma once

#include <memory>

#include "server/commands/command_environment.h"
#include "server/commands/feed.h"
#include "server/net/stream_handler.h"
#include "slab/cache.h"

namespace larder::server {

struct WorkerContext {
  explicit WorkerContext(CommandEnvironment& shared)
      : environment(shared),
        cache(shared.Cache()),
        worker(shared.Cache().AddWorker()),
        counters(shared.AddWorkerCounters()) {}

  CommandEnvironment& environment;
  slab::Cache& cache;
  slab::Worker& worker;
  CommandCounters& counters;
  // The connection whose turn it is. Null only where a test has none.
  ConnectionLink* connection = nullptr;
  // Left here by a handler whose answer somebody else produces: see feed.h.
  std::unique_ptr<Feed> feed;
  // How many keys the next group of look-ups may have: see retrieval.h.
  size_t group_keys_max = slab::Cache::kGroupKeysMax;
};

}  // namespace larder::server
