#include "server/commands/storage.h"

#include <utility>

#include "slab/expiry.h"

namespace larder::server {

using protocol::Command;
using protocol::Status;

namespace {

bool IsTooLarge(const WorkerContext& context, const protocol::Request& request) {
  const CommandOptions& options = context.environment.Options();
  return ItemBytesAsMemcachedCounts(request.key.size(), request.client_flags, request.value_bytes,
                                    options.use_cas) > options.item_bytes_max;
}

slab::ItemSpec SpecOf(const WorkerContext& context, const protocol::Request& request) {
  return {.key = request.key,
          .client_flags = request.client_flags,
          .expires_s = slab::ResolveExpiry(request.exptime, context.environment.Clock()),
          .value_bytes = request.value_bytes};
}

// A client that could not replace a value must not go on reading the old one: after a failed
// `set` the key is gone. The other commands promise nothing of the kind.
Status Refuse(WorkerContext& context, const protocol::Request& request, Status why) {
  if (request.command == Command::kSet) {
    context.cache.DropForFailedSet(context.worker, request.key);
  }
  return why;
}

Status StatusOf(slab::StoreStatus status) {
  switch (status) {
    case slab::StoreStatus::kStored:
      return Status::kStored;
    case slab::StoreStatus::kNotStored:
      return Status::kNotStored;
    case slab::StoreStatus::kExists:
      return Status::kExists;
    case slab::StoreStatus::kNotFound:
      return Status::kNotFound;
    case slab::StoreStatus::kNoMemory:  // the key is new and has no place in the index
      return Status::kNoMemoryToStore;
  }
  return Status::kNotStored;
}

}  // namespace

slab::StoreMode StoreModeOf(Command command) {
  switch (command) {
    case Command::kAdd:
      return slab::StoreMode::kAdd;
    case Command::kReplace:
      return slab::StoreMode::kReplace;
    case Command::kAppend:
      return slab::StoreMode::kAppend;
    case Command::kPrepend:
      return slab::StoreMode::kPrepend;
    case Command::kCas:
      return slab::StoreMode::kCas;
    default:
      return slab::StoreMode::kSet;
  }
}

Status ReserveItem(WorkerContext& context, const protocol::Request& request,
                   slab::Reservation& reservation) {
  if (IsTooLarge(context, request)) {
    CountOne(context.counters.store_too_large);  // the engine, which counts its own, never sees it
    return Refuse(context, request, Status::kTooLarge);
  }
  reservation = context.cache.Reserve(context.worker, SpecOf(context, request));
  switch (reservation.Status()) {
    case slab::ReserveStatus::kReserved:
      return Status::kNone;
    case slab::ReserveStatus::kTooLarge:
      return Refuse(context, request, Status::kTooLarge);
    case slab::ReserveStatus::kNoMemory:
      return Refuse(context, request, Status::kNoMemoryToStore);
  }
  return Status::kNoMemoryToStore;
}

protocol::Outcome CommitItem(WorkerContext& context, slab::Reservation reservation,
                             slab::StoreMode mode, uint64_t cas) {
  const slab::StoreResult stored =
      context.cache.Commit(context.worker, std::move(reservation), {.mode = mode, .cas = cas});
  return {.status = StatusOf(stored.status), .cas = stored.cas};
}

}  // namespace larder::server
