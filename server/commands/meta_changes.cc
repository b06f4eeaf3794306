// md and ma: what takes an item away, hollows it out, marks it stale or changes its number.

#include "protocol/meta_encoder.h"
#include "server/commands/handlers.h"
#include "server/commands/telling.h"
#include "slab/expiry.h"

namespace larder::server {

using protocol::MetaArguments;
using protocol::MetaFlag;
using protocol::Outcome;
using protocol::ReplySink;
using protocol::Request;
using protocol::Status;

namespace {

template <typename Number>
std::optional<Number> If(bool is_given, Number number) {
  return is_given ? std::optional<Number>(number) : std::nullopt;
}

// --- md ----------------------------------------------------------------------------------------

slab::RemoveStatus Delete(WorkerContext& context, const Request& request) {
  const MetaArguments& meta = *request.meta;
  const auto compare_cas = If(meta.Has(MetaFlag::kCompareCas), meta.compare_cas);
  const auto new_cas = If(meta.Has(MetaFlag::kNewCas), meta.new_cas);
  const uint32_t expires_s = slab::ResolveExpiry(meta.exptime, context.environment.Clock());
  const bool becomes_stale = meta.Has(MetaFlag::kStale);
  if (meta.Has(MetaFlag::kRemoveValue)) {
    return context.cache.Hollow(context.worker, request.key,
                                {.compare_cas = compare_cas,
                                 .new_cas = new_cas,
                                 .expires_s = expires_s,
                                 .client_flags = meta.client_flags,
                                 .becomes_stale = becomes_stale});
  }
  if (becomes_stale) {
    return context.cache.Invalidate(context.worker, request.key,
                                    {.compare_cas = compare_cas,
                                     .new_cas = new_cas,
                                     .expires_s = If(meta.Has(MetaFlag::kTtl), expires_s)});
  }
  return context.cache.Remove(context.worker, request.key, compare_cas);
}

// --- ma ----------------------------------------------------------------------------------------

// T and N act in the order of the request; a number that is made has the expiry of the last.
slab::ArithmeticSpec SpecOf(const Request& request, const slab::Clock& clock) {
  const MetaArguments& meta = *request.meta;
  slab::ArithmeticSpec spec{
      .increment = meta.mode != 'D' && meta.mode != '-',
      .delta = meta.delta,
      .cas = meta.compare_cas,
      .new_cas = If(meta.Has(MetaFlag::kNewCas), meta.new_cas),
      .vivify_expires_s = If(meta.Has(MetaFlag::kVivify), slab::kNeverExpires),
      .initial = meta.initial};
  for (const MetaFlag flag : meta.InOrder()) {
    if (flag == MetaFlag::kTtl) {
      spec.touch_expires_s = slab::ResolveExpiry(meta.exptime, clock);
      if (spec.vivify_expires_s) spec.vivify_expires_s = spec.touch_expires_s;
    } else if (flag == MetaFlag::kVivify) {
      spec.vivify_expires_s = slab::ResolveExpiry(meta.vivify_exptime, clock);
    }
  }
  return spec;
}

void WriteNumber(const WorkerContext& context, const Request& request,
                 const slab::ArithmeticResult& result, ReplySink& replies) {
  const MetaArguments& meta = *request.meta;
  const slab::Clock& clock = context.environment.Clock();
  const protocol::MetaItem item{
      .key = request.key,
      .cas = result.cas,
      .now_s = clock.NowSeconds(),
      .expires_s = result.created ? slab::kNeverExpires : result.expires_before_s,
      .touched_expires_s = slab::ResolveExpiry(meta.exptime, clock),
      .vivified_expires_s = slab::ResolveExpiry(meta.vivify_exptime, clock),
      .has_binary_key = meta.Has(MetaFlag::kBinaryKey),
      .is_created = result.created};
  WriteMetaNumber(meta, item, result.number, replies);
}

// A refusal that is a line of its own; kNone for what is answered with the request's flags.
Status ErrorOf(slab::ArithmeticStatus status) {
  switch (status) {
    case slab::ArithmeticStatus::kNonNumeric:
      return Status::kNonNumeric;
    case slab::ArithmeticStatus::kNoMemory:
      return Status::kNoMemory;
    case slab::ArithmeticStatus::kNoMemoryToCreate:
      return Status::kNoMemoryToCreate;
    case slab::ArithmeticStatus::kDone:
    case slab::ArithmeticStatus::kNotFound:
    case slab::ArithmeticStatus::kExists:
      break;
  }
  return Status::kNone;
}

}  // namespace

Outcome HandleMetaDelete(WorkerContext& context, const Request& request, ReplySink& replies) {
  const MetaArguments& meta = *request.meta;
  DeletionReport report(context, request.key, DeleteCommand::kMetaDelete);
  switch (Delete(context, request)) {
    case slab::RemoveStatus::kRemoved:
      if (meta.Has(MetaFlag::kRemoveValue)) {  // to memcached, a store
        TellStored(context, request.key, StoreCommand::kSet);
        report.LookAgain();
      }
      if (!meta.Has(MetaFlag::kStale)) report.Tell();
      if (!meta.Has(MetaFlag::kQuiet)) {
        WriteMetaOutcome(meta, request.key, Status::kDeleted, replies);
      }
      return {};
    case slab::RemoveStatus::kNotFound:
      WriteMetaOutcome(meta, request.key, Status::kNotFound, replies);
      return {};
    case slab::RemoveStatus::kExists:
      WriteMetaOutcome(meta, request.key, Status::kExists, replies);
      return {};
    case slab::RemoveStatus::kNoMemory:
      return {.status = Status::kNoMemory};
  }
  return {};
}

Outcome HandleMetaArithmetic(WorkerContext& context, const Request& request, ReplySink& replies) {
  const MetaArguments& meta = *request.meta;
  const slab::ArithmeticResult result = context.cache.Arithmetic(
      context.worker, request.key, SpecOf(request, context.environment.Clock()));
  if (result.created) TellStored(context, request.key, StoreCommand::kAdd);
  const Status error = ErrorOf(result.status);
  if (error != Status::kNone) return {.status = error};
  // memcached finds this only when it writes the answer: the number has changed already.
  if (request.fault != Status::kNone) return {.status = request.fault};
  if (result.status == slab::ArithmeticStatus::kDone) {
    if (!meta.Has(MetaFlag::kQuiet)) WriteNumber(context, request, result, replies);
    return {};
  }
  const bool is_missing = result.status == slab::ArithmeticStatus::kNotFound;
  WriteMetaOutcome(meta, request.key, is_missing ? Status::kNotFound : Status::kExists, replies);
  return {};
}

}  // namespace larder::server
