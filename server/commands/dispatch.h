// server/commands/dispatch.h - from a command to the function that answers it.
//
// Threads  the worker's own.
// Not here how requests are read and answers queued: session.h
#pragma once

#include "protocol/outcome.h"
#include "protocol/reply_sink.h"
#include "protocol/request.h"
#include "server/commands/worker_context.h"

namespace larder::server {

using Handler = protocol::Outcome (*)(WorkerContext&, const protocol::Request&,
                                      protocol::ReplySink&);

// Null for the commands that the session itself carries out: retrievals and stores, which may
// take several turns, and `quit`, which is about the connection.
[[nodiscard]] Handler HandlerOf(protocol::Command command);

}  // namespace larder::server
