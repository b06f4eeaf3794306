// server/commands/command_service.h - the commands of one worker thread, as the front end sees
// them. The composition root builds one CommandEnvironment for the server and, from it, one
// CommandService for each worker thread.
//
// Owner    the environment must outlive the service, the service every handler it made.
// Threads  construct and destroy on any thread while the worker does not run; everything else
//          on the worker's thread. Handlers must be destroyed on that thread too, or after it
//          has ended: what they hold of the cache belongs to the worker.
// Not here the conversation itself: session.h
#pragma once

#include <memory>

#include "server/commands/command_environment.h"
#include "server/commands/worker_context.h"
#include "server/net/stream_handler.h"

namespace larder::server {

class CommandService final : public WorkerService {
 public:
  explicit CommandService(CommandEnvironment& environment) : context_(environment) {}

  void OnTurnStart() override { context_.cache.Online(context_.worker); }
  void OnTurnEnd() override { context_.cache.Offline(context_.worker); }
  std::unique_ptr<StreamHandler> MakeHandler(ConnectionLink& link) override;

 private:
  WorkerContext context_;
};

}  // namespace larder::server
