// Commands that concern the whole server: flush_all, verbosity, version, shutdown.

#include <algorithm>

#include "protocol/tokens.h"
#include "server/commands/admin_words.h"
#include "server/commands/handlers.h"
#include "slab/expiry.h"

namespace larder::server {

using protocol::Outcome;
using protocol::ReplySink;
using protocol::Request;
using protocol::Status;

namespace {

// A delayed flush takes effect one second early, as memcached's does: `flush_all 1` at once, and
// what is stored in the second in which it acts goes too. A time before the process started is
// no time to flush at, but it replaces a flush that was pending.
void FlushLater(WorkerContext& context, int64_t delay) {
  const uint32_t acts_s = slab::ResolveExpiry(delay, context.environment.Clock());
  if (acts_s == slab::kAlreadyExpired) {
    context.cache.CancelFlush(context.worker);
  } else {
    context.cache.FlushAt(context.worker, acts_s - 1);
  }
}

// Ends the conversation in silence, and with it the server: not before the connection is closed, so
// that those who watch connections are told of this one.
class ShutdownFeed final : public Feed {
 public:
  ShutdownFeed(ServerView& server, bool is_graceful) : server_(server), is_graceful_(is_graceful) {}
  ~ShutdownFeed() override { server_.Shutdown(is_graceful_); }

  [[nodiscard]] State Drain(ReplySink&) override { return State::kShutdown; }

 private:
  ServerView& server_;
  const bool is_graceful_;
};

}  // namespace

Outcome HandleFlushAll(WorkerContext& context, const Request& request, ReplySink&) {
  CountOne(context.counters.cmd_flush);  // refused ones count, too
  if (!context.environment.Options().flush_enabled) return {.status = Status::kFlushNotAllowed};
  if (request.fault != Status::kNone) return {.status = request.fault};
  if (request.exptime > 0) {
    FlushLater(context, request.exptime);
  } else {
    context.cache.FlushNow(context.worker);
  }
  return {.status = Status::kOk};
}

Outcome HandleVerbosity(WorkerContext& context, const Request& request, ReplySink&) {
  constexpr uint64_t kVerbosityMax = 2;
  const uint64_t level = std::min(request.number, kVerbosityMax);
  context.environment.Server().SetVerbosity(static_cast<uint32_t>(level));
  return {.status = Status::kOk};
}

Outcome HandleShutdown(WorkerContext& context, const Request& request, ReplySink&) {
  const CommandEnvironment& environment = context.environment;
  if (!environment.Options().shutdown_enabled) return {.status = Status::kShutdownNotEnabled};
  const protocol::TokenList words(request.more_keys);
  const bool is_plain = words.Count() == 1;
  const bool is_graceful = words.Count() == 2 && MeansName(words[1], "graceful");
  if (!is_plain && !is_graceful) return {.status = Status::kInvalidShutdownMode};
  context.feed = std::make_unique<ShutdownFeed>(environment.Server(), is_graceful);
  return {};
}

Outcome HandleVersion(WorkerContext&, const Request&, ReplySink&) {
  return {.status = Status::kVersion};
}

}  // namespace larder::server
