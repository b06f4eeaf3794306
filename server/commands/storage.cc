#include "server/commands/storage.h"

#include <utility>

#include "protocol/meta_arguments.h"
#include "server/commands/telling.h"
#include "slab/expiry.h"

namespace larder::server {

using protocol::Command;
using protocol::MetaArguments;
using protocol::MetaFlag;
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
          .value_bytes = request.value_bytes,
          .counts_at_once = request.counts_at_once,
          .has_binary_key = request.meta != nullptr && request.meta->Has(MetaFlag::kBinaryKey),
          .may_wait = !context.connection->IsDatagram()};
}

Status Refuse(WorkerContext& context, const protocol::Request& request, Status why) {
  TellRefusedStore(
      context, request.key, CommitSpecOf(request).mode,
      why == Status::kTooLarge ? StoreResultKind::kTooLarge : StoreResultKind::kNoMemory);
  if (DropsOnRefusal(request)) context.cache.DropForFailedSet(context.worker, request.key);
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
    case slab::StoreStatus::kUnfinished:
    case slab::StoreStatus::kAwaitsRoom:
      break;
  }
  return Status::kNotStored;
}

protocol::Outcome OutcomeOf(const slab::StoreResult& stored) {
  return {.status = StatusOf(stored.status), .cas = stored.cas, .value_bytes = stored.value_bytes};
}

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

// A CAS unique turns set and replace into cas; add has no use for it.
slab::StoreMode MetaStoreModeOf(const MetaArguments& meta) {
  switch (meta.mode) {
    case 'E':
      return slab::StoreMode::kAdd;
    case 'A':
      return slab::StoreMode::kAppend;
    case 'P':
      return slab::StoreMode::kPrepend;
    default:
      break;
  }
  if (meta.Has(MetaFlag::kCompareCas)) return slab::StoreMode::kCas;
  return meta.mode == 'R' ? slab::StoreMode::kReplace : slab::StoreMode::kSet;
}

// The engine looks only at what is meant for the mode.
slab::CommitSpec MetaCommitSpecOf(const MetaArguments& meta) {
  slab::CommitSpec spec{.mode = MetaStoreModeOf(meta),
                        .cas = meta.compare_cas,
                        .invalidates_older = meta.Has(MetaFlag::kStale),
                        .vivifies = meta.Has(MetaFlag::kVivify)};
  if (meta.new_cas != 0) spec.new_cas = meta.new_cas;  // unlike everywhere else, 0 is none
  return spec;
}

}  // namespace

slab::CommitSpec CommitSpecOf(const protocol::Request& request) {
  if (request.meta != nullptr) return MetaCommitSpecOf(*request.meta);
  slab::StoreMode mode = StoreModeOf(request.command);
  // The binary protocol's way to say cas; even an add becomes one.
  const bool becomes_cas = mode == slab::StoreMode::kSet || mode == slab::StoreMode::kAdd ||
                           mode == slab::StoreMode::kReplace;
  if (request.number != 0 && becomes_cas) mode = slab::StoreMode::kCas;
  return {.mode = mode, .cas = request.number};
}

bool DropsOnRefusal(const protocol::Request& request) {
  return request.command == Command::kSet || request.command == Command::kMetaSet;
}

Status RefuseRoom(WorkerContext& context, const slab::Reservation& reservation,
                  const slab::CommitSpec& spec, bool drops) {
  const std::string_view key = reservation.View().key;
  TellRefusedStore(context, key, spec.mode, StoreResultKind::kNoMemory);
  if (drops) context.cache.DropForFailedSet(context.worker, key);
  return Status::kNoMemoryToStore;
}

Status ReserveItem(WorkerContext& context, const protocol::Request& request,
                   slab::Reservation& reservation) {
  if (request.meta == nullptr) context.prefixes.CountSet(request.key);
  if (IsTooLarge(context, request)) {
    // The engine, which counts its own, never sees it.
    if (request.counts_at_once) CountOne(context.counters.store_too_large);
    return Refuse(context, request, Status::kTooLarge);
  }
  reservation = context.cache.Reserve(context.worker, SpecOf(context, request));
  switch (reservation.Status()) {
    case slab::ReserveStatus::kReserved:
    case slab::ReserveStatus::kAwaitsRoom:
      return Status::kNone;
    case slab::ReserveStatus::kTooLarge:
      return Refuse(context, request, Status::kTooLarge);
    case slab::ReserveStatus::kNoMemory:
      return Refuse(context, request, Status::kNoMemoryToStore);
  }
  return Status::kNoMemoryToStore;
}

std::optional<protocol::Outcome> CommitItem(WorkerContext& context, slab::Reservation reservation,
                                            const slab::CommitSpec& spec,
                                            slab::UnfinishedStore* unfinished) {
  StoreReport report(context, reservation, spec.mode);
  const slab::StoreResult stored =
      context.cache.Commit(context.worker, std::move(reservation), spec, unfinished);
  if (stored.status == slab::StoreStatus::kUnfinished) [[unlikely]]
    return std::nullopt;
  report.Tell(stored);
  return OutcomeOf(stored);
}

std::optional<protocol::Outcome> ContinueCommit(WorkerContext& context,
                                                slab::UnfinishedStore& unfinished,
                                                slab::StoreMode mode, bool* awaits_room) {
  StoreReport report(context, slab::Cache::SentOf(unfinished), mode);
  const slab::StoreResult stored = context.cache.ContinueCommit(context.worker, unfinished);
  *awaits_room = stored.status == slab::StoreStatus::kAwaitsRoom;
  if (*awaits_room || stored.status == slab::StoreStatus::kUnfinished) return std::nullopt;
  report.Tell(stored);
  return OutcomeOf(stored);
}

}  // namespace larder::server
