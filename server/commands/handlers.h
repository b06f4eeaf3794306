// server/commands/handlers.h - the commands that are answered at once, one function each. All
// have the shape of Handler (dispatch.h); those that answer more than one line write to `replies`
// and return Status::kNone.
//
// Threads  the worker's own.
// Not here retrievals (retrieval.h) and stores (pending_store.h), which may take several turns.
#pragma once

#include "protocol/outcome.h"
#include "protocol/reply_sink.h"
#include "protocol/request.h"
#include "server/commands/worker_context.h"

namespace larder::server {

// changes.cc
protocol::Outcome HandleDelete(WorkerContext&, const protocol::Request&, protocol::ReplySink&);
protocol::Outcome HandleTouch(WorkerContext&, const protocol::Request&, protocol::ReplySink&);
protocol::Outcome HandleArithmetic(WorkerContext&, const protocol::Request&, protocol::ReplySink&);
// meta_get.cc
protocol::Outcome HandleMetaGet(WorkerContext&, const protocol::Request&, protocol::ReplySink&);
protocol::Outcome HandleMetaDebug(WorkerContext&, const protocol::Request&, protocol::ReplySink&);
protocol::Outcome HandleMetaNoop(WorkerContext&, const protocol::Request&, protocol::ReplySink&);
// meta_changes.cc
protocol::Outcome HandleMetaDelete(WorkerContext&, const protocol::Request&, protocol::ReplySink&);
protocol::Outcome HandleMetaArithmetic(WorkerContext&, const protocol::Request&,
                                       protocol::ReplySink&);
// admin.cc
protocol::Outcome HandleFlushAll(WorkerContext&, const protocol::Request&, protocol::ReplySink&);
protocol::Outcome HandleVerbosity(WorkerContext&, const protocol::Request&, protocol::ReplySink&);
protocol::Outcome HandleVersion(WorkerContext&, const protocol::Request&, protocol::ReplySink&);
protocol::Outcome HandleShutdown(WorkerContext&, const protocol::Request&, protocol::ReplySink&);
// admin_slabs.cc
protocol::Outcome HandleSlabs(WorkerContext&, const protocol::Request&, protocol::ReplySink&);
protocol::Outcome HandleCacheMemlimit(WorkerContext&, const protocol::Request&,
                                      protocol::ReplySink&);
// admin_lru.cc
protocol::Outcome HandleLru(WorkerContext&, const protocol::Request&, protocol::ReplySink&);
protocol::Outcome HandleExtstore(WorkerContext&, const protocol::Request&, protocol::ReplySink&);
// admin_crawler.cc
protocol::Outcome HandleLruCrawler(WorkerContext&, const protocol::Request&, protocol::ReplySink&);
// watch.cc
protocol::Outcome HandleWatch(WorkerContext&, const protocol::Request&, protocol::ReplySink&);
// stats.cc
protocol::Outcome HandleStats(WorkerContext&, const protocol::Request&, protocol::ReplySink&);

}  // namespace larder::server
