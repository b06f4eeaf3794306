// Commands that change one item where it is, or take it away: delete, touch, incr, decr.

#include <cstdint>
#include <optional>

#include "server/commands/handlers.h"
#include "server/commands/telling.h"
#include "slab/expiry.h"

namespace larder::server {

using protocol::Command;
using protocol::Outcome;
using protocol::ReplySink;
using protocol::Request;
using protocol::Status;

Outcome HandleDelete(WorkerContext& context, const Request& request, ReplySink&) {
  const std::optional<uint64_t> cas =
      request.number == 0 ? std::nullopt : std::optional(request.number);
  constexpr bool kCountsMismatch = false;
  context.prefixes.CountDelete(request.key);
  DeletionReport report(context, request.key, DeleteCommand::kDelete);
  switch (context.cache.Remove(context.worker, request.key, cas, kCountsMismatch)) {
    case slab::RemoveStatus::kRemoved:
      report.Tell();
      return {.status = Status::kDeleted};
    case slab::RemoveStatus::kExists:
      return {.status = Status::kExists};
    case slab::RemoveStatus::kNotFound:
    case slab::RemoveStatus::kNoMemory:  // only of what replaces the item
      break;
  }
  return {.status = Status::kNotFound};
}

Outcome HandleTouch(WorkerContext& context, const Request& request, ReplySink&) {
  const uint32_t expires_s = slab::ResolveExpiry(request.exptime, context.environment.Clock());
  const bool found = context.cache.Touch(context.worker, request.key, expires_s);
  return {.status = found ? Status::kTouched : Status::kNotFound};
}

Outcome HandleArithmetic(WorkerContext& context, const Request& request, ReplySink&) {
  slab::ArithmeticSpec spec{.increment = request.command == Command::kIncr,
                            .delta = request.number,
                            .cas = request.number_cas,
                            .initial = request.initial};
  if (request.creates) {
    spec.vivify_expires_s = slab::ResolveExpiry(request.exptime, context.environment.Clock());
  }
  const slab::ArithmeticResult result = context.cache.Arithmetic(context.worker, request.key, spec);
  if (result.created) TellStored(context, request.key, StoreCommand::kAdd);
  switch (result.status) {
    case slab::ArithmeticStatus::kDone:
      return {.status = Status::kNumber, .number = result.number, .cas = result.cas};
    case slab::ArithmeticStatus::kNotFound:
      return {.status = Status::kNotFound};
    case slab::ArithmeticStatus::kNonNumeric:
      return {.status = Status::kNonNumeric};
    case slab::ArithmeticStatus::kNoMemory:
      return {.status = Status::kNoMemory};
    case slab::ArithmeticStatus::kNoMemoryToCreate:
      return {.status = Status::kNoMemoryToCreate};
    case slab::ArithmeticStatus::kExists:
      return {.status = Status::kExists};
  }
  return {.status = Status::kNotFound};
}

}  // namespace larder::server
