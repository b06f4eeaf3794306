#include "server/commands/worker_context.h"

#include "server/commands/pending_store.h"

namespace larder::server {

WorkerContext::WorkerContext(CommandEnvironment& shared)
    : environment(shared),
      cache(shared.Cache()),
      worker(shared.Cache().AddWorker()),
      counters(shared.AddWorkerCounters()),
      prefixes(shared.Prefixes().AddWorkerTable()) {}

WorkerContext::~WorkerContext() = default;

}  // namespace larder::server
