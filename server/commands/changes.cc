// Commands that change one item where it is, or take it away: delete, touch, incr, decr.

#include "server/commands/handlers.h"
#include "slab/expiry.h"

namespace larder::server {

using protocol::Command;
using protocol::Outcome;
using protocol::ReplySink;
using protocol::Request;
using protocol::Status;

Outcome HandleDelete(WorkerContext& context, const Request& request, ReplySink&) {
  const auto removed = context.cache.Remove(context.worker, request.key);
  return {.status = removed == slab::RemoveStatus::kRemoved ? Status::kDeleted : Status::kNotFound};
}

Outcome HandleTouch(WorkerContext& context, const Request& request, ReplySink&) {
  const uint32_t expires_s = slab::ResolveExpiry(request.exptime, context.environment.Clock());
  const bool found = context.cache.Touch(context.worker, request.key, expires_s);
  return {.status = found ? Status::kTouched : Status::kNotFound};
}

Outcome HandleArithmetic(WorkerContext& context, const Request& request, ReplySink&) {
  const bool increment = request.command == Command::kIncr;
  const slab::ArithmeticResult result = context.cache.Arithmetic(
      context.worker, request.key, {.increment = increment, .delta = request.number});
  switch (result.status) {
    case slab::ArithmeticStatus::kDone:
      return {.status = Status::kNumber, .number = result.number, .cas = result.cas};
    case slab::ArithmeticStatus::kNotFound:
      return {.status = Status::kNotFound};
    case slab::ArithmeticStatus::kNonNumeric:
      return {.status = Status::kNonNumeric};
    case slab::ArithmeticStatus::kNoMemory:
    case slab::ArithmeticStatus::kNoMemoryToCreate:  // only where creating was asked for
      return {.status = Status::kNoMemory};
    case slab::ArithmeticStatus::kExists:
      return {.status = Status::kExists};
  }
  return {.status = Status::kNotFound};
}

}  // namespace larder::server
