#include "server/commands/telling.h"

namespace larder::server {
namespace {

StoreCommand CommandOf(slab::StoreMode mode) {
  switch (mode) {
    case slab::StoreMode::kSet:
      return StoreCommand::kSet;
    case slab::StoreMode::kAdd:
      return StoreCommand::kAdd;
    case slab::StoreMode::kReplace:
      return StoreCommand::kReplace;
    case slab::StoreMode::kAppend:
      return StoreCommand::kAppend;
    case slab::StoreMode::kPrepend:
      return StoreCommand::kPrepend;
    case slab::StoreMode::kCas:
      return StoreCommand::kCas;
  }
  return StoreCommand::kNull;
}

StoreResultKind KindOf(slab::StoreStatus status) {
  switch (status) {
    case slab::StoreStatus::kStored:
      return StoreResultKind::kStored;
    case slab::StoreStatus::kNotStored:
      return StoreResultKind::kNotStored;
    case slab::StoreStatus::kExists:
      return StoreResultKind::kExists;
    case slab::StoreStatus::kNotFound:
      return StoreResultKind::kNotFound;
    case slab::StoreStatus::kNoMemory:
      return StoreResultKind::kNoMemory;
    case slab::StoreStatus::kUnfinished:  // told when it is over
    case slab::StoreStatus::kAwaitsRoom:
      break;
  }
  return StoreResultKind::kNotStored;
}

int32_t OriginOf(const WorkerContext& context) {
  return context.connection == nullptr ? -1 : context.connection->Fd();
}

// 0 for an item that never expires.
int64_t TtlSeconds(const WorkerContext& context, uint32_t expires_s) {
  if (expires_s == 0) return 0;
  return int64_t{expires_s} - context.environment.Clock().NowSeconds();
}

}  // namespace

void StoreReport::Begin(const slab::Reservation& reservation, slab::StoreMode mode) {
  const slab::Hit sent = reservation.View();
  StoreDraft& draft = draft_.emplace();
  draft.key = sent.key;
  draft.is_joined = mode == slab::StoreMode::kAppend || mode == slab::StoreMode::kPrepend;
  draft.event.command = CommandOf(mode);
  draft.event.ttl_s = TtlSeconds(context_, sent.expires_s);
  draft.event.class_id = context_.cache.DetailsOf(sent).class_id;
  draft.event.value_bytes = static_cast<uint32_t>(sent.value.size());
  draft.event.origin = OriginOf(context_);
}

void StoreReport::TellNow(const slab::StoreResult& result) {
  if (draft_->is_joined && result.status == slab::StoreStatus::kStored) LookAgain();
  draft_->event.key = draft_->key;
  draft_->event.status = KindOf(result.status);
  context_.environment.Events().Tell(draft_->event);
}

void StoreReport::LookAgain() {
  const slab::Hit stored = context_.cache.Peek(context_.worker, draft_->key);
  if (!stored) return;  // somebody else was quick
  draft_->event.ttl_s = TtlSeconds(context_, stored.expires_s);
  draft_->event.class_id = context_.cache.DetailsOf(stored).class_id;
  draft_->event.value_bytes = static_cast<uint32_t>(stored.value.size());
}

void TellRefusedStore(WorkerContext& context, std::string_view key, slab::StoreMode mode,
                      StoreResultKind why) {
  EventLog& events = context.environment.Events();
  if (!events.Wants(watch_stream::kMutations)) return;
  events.Tell(StoreTold{
      .key = key, .status = why, .command = CommandOf(mode), .origin = OriginOf(context)});
}

void TellStored(WorkerContext& context, std::string_view key, StoreCommand command) {
  EventLog& events = context.environment.Events();
  if (!events.Wants(watch_stream::kMutations)) return;
  const slab::Hit made = context.cache.Peek(context.worker, key);
  if (!made) return;  // somebody else was quick
  events.Tell(StoreTold{.key = key,
                        .status = StoreResultKind::kStored,
                        .command = command,
                        .ttl_s = TtlSeconds(context, made.expires_s),
                        .class_id = context.cache.DetailsOf(made).class_id,
                        .value_bytes = static_cast<uint32_t>(made.value.size()),
                        .origin = OriginOf(context)});
}

void DeletionReport::Look() {
  const slab::Hit item = context_.cache.Peek(context_.worker, event_.key);
  if (!item) return;
  event_.class_id = context_.cache.DetailsOf(item).class_id;
  event_.value_bytes = static_cast<uint32_t>(item.value.size());
}

}  // namespace larder::server
