// server/commands/worker_context.h - what the commands of one worker thread work with.
//
// Owner    references only; the worker belongs to the cache, the counters to the environment.
// Threads  the worker's own thread, between the start and the end of a turn.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "protocol/meta_arguments.h"
#include "protocol/parse_result.h"
#include "server/commands/command_environment.h"
#include "server/commands/feed.h"
#include "server/net/stream_handler.h"
#include "slab/cache.h"

namespace larder::server {

class PendingStore;  // pending_store.h

struct WorkerContext {
  explicit WorkerContext(CommandEnvironment& shared);
  ~WorkerContext();

  CommandEnvironment& environment;
  slab::Cache& cache;
  slab::Worker& worker;
  CommandCounters& counters;
  PrefixTable& prefixes;
  // The connection whose turn it is. Null only where a test has none.
  ConnectionLink* connection = nullptr;
  // The text request that was parsed last, and if it was a meta command what follows its key. Good
  // until the next one is parsed.
  protocol::ParseResult parsed;
  protocol::MetaArguments meta;
  // For the next value: see TakeStore in pending_store.h.
  std::unique_ptr<PendingStore> spare_store;
  // Left here by a handler whose answer somebody else produces: see feed.h.
  std::unique_ptr<Feed> feed;
  // How many keys the next group of look-ups may have: see retrieval.h.
  size_t group_keys_max = slab::Cache::kGroupKeysMax;
  // Of the group under way. Here, because to clear so much room costs more than a look-up.
  std::array<std::string_view, slab::Cache::kGroupKeysMax> group_keys;
};

}  // namespace larder::server
