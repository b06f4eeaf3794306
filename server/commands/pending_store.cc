#include "server/commands/pending_store.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "protocol/meta_encoder.h"
#include "protocol/text_encoder.h"

namespace larder::server {

using protocol::Command;
using protocol::MetaArguments;
using protocol::MetaFlag;
using protocol::Outcome;
using protocol::Request;
using protocol::Status;

namespace {

// What is answered with the request's flags; everything else is an error, which `q` does not hide.
bool IsMetaOutcome(Status status) {
  return status == Status::kStored || status == Status::kNotStored || status == Status::kExists ||
         status == Status::kNotFound;
}

void WriteMetaAnswer(const MetaArguments& meta, std::string_view key, const Outcome& outcome,
                     uint32_t sent_bytes, protocol::ReplySink& replies) {
  if (!IsMetaOutcome(outcome.status)) return WriteOutcome(outcome, replies);
  const bool is_stored = outcome.status == Status::kStored;
  if (is_stored && meta.Has(MetaFlag::kQuiet)) return;
  const protocol::MetaItem item{.key = key,
                                .cas = is_stored ? outcome.cas : 0,
                                .value_bytes = is_stored ? outcome.value_bytes : sent_bytes,
                                .has_binary_key = meta.Has(MetaFlag::kBinaryKey)};
  WriteMetaStore(meta, item, outcome.status, replies);
}

// Why nothing was stored, where the text protocol does not say.
Outcome Explain(Outcome outcome, Command command) {
  if (outcome.status != Status::kNotStored) return outcome;
  if (command == Command::kAdd) outcome.status = Status::kExists;
  if (command == Command::kReplace) outcome.status = Status::kNotFound;
  return outcome;
}

}  // namespace

Status PendingStore::Begin(WorkerContext& context, const Request& request,
                           const BinaryAsker& asker) {
  const bool is_meta = request.meta != nullptr;
  const bool is_binary = asker.opcode != nullptr;
  dialect_ = is_binary         ? Dialect::kBinary
             : is_meta         ? Dialect::kMeta
             : request.noreply ? Dialect::kClassicNoreply
                               : Dialect::kClassic;
  asker_ = asker;
  is_cut_short_silently_ = is_meta ? request.meta->Has(MetaFlag::kQuiet) : request.noreply;
  commit_ = CommitSpecOf(request);
  kept_.reset();
  unfinished_.reset();
  key_ = request.key;
  counted_ = request.counts_at_once;
  value_bytes_ = request.value_bytes;
  filled_bytes_ = 0;
  drops_on_refusal_ = DropsOnRefusal(request);
  const Status refusal = ReserveItem(context, request, reservation_);
  if (refusal != Status::kNone || request.fault == Status::kNone) return refusal;
  reservation_.Abandon();
  return request.fault;
}

void PendingStore::AwaitRoom(WorkerContext& context, std::shared_ptr<Waker> waker) {
  Keep(context);
  context.cache.AwaitRoom(reservation_, [waker = std::move(waker)] { waker->Wake(); });
}

size_t PendingStore::Fill(std::string_view input) {
  const std::span<char> unfilled = Unfilled();
  const size_t bytes = std::min(input.size(), unfilled.size());
  if (bytes != 0) std::memcpy(unfilled.data(), input.data(), bytes);
  Advance(bytes);
  return bytes;
}

bool PendingStore::KeepUnderWay(WorkerContext& context) {
  if (!context.cache.KeepUnderWay(reservation_)) {
    kept_.reset();
    return false;
  }
  Keep(context);
  return true;
}

void PendingStore::Keep(const WorkerContext& context) {
  if (dialect_ != Dialect::kMeta || kept_ != nullptr) return;
  kept_ = std::make_unique<KeptRequest>();
  kept_->meta = context.meta;
  key_ = {kept_->key.data(), key_.copy(kept_->key.data(), kept_->key.size())};
}

std::optional<Outcome> PendingStore::Finish(WorkerContext& context, std::string_view value_end) {
  slab::Reservation filled = std::move(reservation_);
  if (!counted_) context.cache.CountStore(context.worker, filled);
  const bool is_ended = dialect_ == Dialect::kBinary || value_end == protocol::kLineEnd;
  if (!is_ended) return Outcome{.status = Status::kBadDataChunk};
  return CommitItem(context, std::move(filled), commit_, &unfinished_);
}

void PendingStore::AwaitResult(WorkerContext& context, std::shared_ptr<Waker> waker) {
  Keep(context);
  context.cache.AwaitRoom(unfinished_, [waker = std::move(waker)] { waker->Wake(); });
}

void PendingStore::Answer(const WorkerContext& context, const Outcome& outcome,
                          protocol::ReplySink& replies) {
  switch (dialect_) {
    case Dialect::kClassic:
      replies.BeginAnswer();
      return WriteOutcome(outcome, replies);
    case Dialect::kClassicNoreply:
      return;
    case Dialect::kMeta:
      replies.BeginAnswer();
      WriteMetaAnswer(kept_ != nullptr ? kept_->meta : context.meta, key_, outcome, filled_bytes_,
                      replies);
      return kept_.reset();
    case Dialect::kBinary:
      return AnswerInPackets(asker_, Explain(outcome, *asker_.opcode->command), replies);
  }
}

std::unique_ptr<PendingStore> TakeStore(WorkerContext& context) {
  if (context.spare_store != nullptr) return std::move(context.spare_store);
  return std::make_unique<PendingStore>();
}

void GiveBackStore(WorkerContext& context, std::unique_ptr<PendingStore> store) {
  if (context.spare_store == nullptr) context.spare_store = std::move(store);
}

}  // namespace larder::server
