#include "server/commands/binary_session.h"

#include <algorithm>
#include <utility>

#include "protocol/binary_encoder.h"
#include "server/commands/binary_retrieval.h"
#include "server/commands/binary_stats.h"
#include "server/commands/dispatch.h"
#include "server/commands/session.h"

namespace larder::server {

using protocol::BinaryParseResult;
using protocol::BinaryWork;
using protocol::Command;
using protocol::Outcome;
using protocol::ParseStatus;
using protocol::Status;
using Next = StreamStep::Next;

// What one call works on. The packet that comes next is parsed once.
struct BinarySession::Turn {
  std::string_view rest;
  uint32_t requests_left;
  protocol::ReplySink& replies;
  size_t consumed_bytes = 0;
  bool is_parsed = false;
  BinaryParseResult parsed = {};

  void Consume(size_t bytes) {
    rest.remove_prefix(bytes);
    consumed_bytes += bytes;
    is_parsed = false;
  }

  void Parse() {
    if (is_parsed) return;
    parsed = protocol::ParseBinaryRequest(rest);
    is_parsed = true;
  }
};

namespace {

void Answer(const protocol::BinaryOpcode& opcode, const protocol::BinaryEcho& echo,
            const Outcome& outcome, protocol::ReplySink& replies) {
  if (IsSilent(opcode, outcome.status)) return;
  replies.BeginAnswer();
  WriteBinaryOutcome(echo, opcode.answer, outcome, replies);
}

// Why nothing was stored, where the text protocol does not say.
Status Explain(Status status, Command command) {
  if (status != Status::kNotStored) return status;
  if (command == Command::kAdd) return Status::kExists;
  if (command == Command::kReplace) return Status::kNotFound;
  return status;
}

}  // namespace

std::unique_ptr<StreamHandler> MakeBinarySession(WorkerContext& context, ConnectionLink& link) {
  return std::make_unique<BinarySession>(context, link);
}

StreamStep BinarySession::OnInput(std::string_view input, uint32_t requests_max,
                                  protocol::ReplySink& replies) {
  context_.connection = &link_;
  context_.cache.SetOrigin(context_.worker, link_.Fd());
  Turn turn{.rest = input, .requests_left = requests_max, .replies = replies};
  const Next next = Run(turn);
  context_.cache.Quiesce(context_.worker);
  return {.next = next, .consumed_bytes = turn.consumed_bytes};
}

Next BinarySession::Run(Turn& turn) {
  for (;;) {
    if (feed_ != nullptr && feed_->IsHopeless()) return Next::kAbort;
    if (turn.replies.PendingBytes() > Session::kPendingReplyBytesMax) return Next::kBlocked;
    if (const Step end = Proceed(turn)) return *end;
  }
}

BinarySession::Step BinarySession::Proceed(Turn& turn) {
  switch (phase_) {
    case Phase::kPacket:
      return NextPacket(turn);
    case Phase::kValue:
      return ContinueValue(turn);
    case Phase::kFeed:
      return DrainFeed(turn);
    case Phase::kSwallow:
      return ContinueSwallowing(turn);
  }
  return Next::kAbort;
}

// --- packets -----------------------------------------------------------------------------------

BinarySession::Step BinarySession::NextPacket(Turn& turn) {
  if (turn.rest.empty()) return Next::kNeedInput;
  if (turn.requests_left == 0) return Next::kYield;
  turn.Parse();
  switch (turn.parsed.status) {
    case ParseStatus::kNeedMore:
      return Next::kNeedInput;
    case ParseStatus::kClose:
      return Next::kRefuse;
    case ParseStatus::kError:
      --turn.requests_left;
      return Refuse(turn);
    case ParseStatus::kRequest:
      --turn.requests_left;
      return CarryOut(turn);
  }
  return Next::kAbort;
}

BinarySession::Step BinarySession::CarryOut(Turn& turn) {
  switch (turn.parsed.opcode->work) {
    case BinaryWork::kLookUp:
      return LookUp(turn);
    case BinaryWork::kStore:
      return BeginValue(turn);
    case BinaryWork::kStats:
      return ShowStats(turn);
    case BinaryWork::kHandler:
      return Handle(turn);
    case BinaryWork::kQuit:
      Answer(*turn.parsed.opcode, turn.parsed.echo, {.status = Status::kOk}, turn.replies);
      turn.Consume(turn.parsed.consumed_bytes);
      return Next::kClose;
    case BinaryWork::kUnknown:  // the parser refuses them
      break;
  }
  return Next::kAbort;
}

// Datagrams whose senders may be forged draw nothing but what was asked for.
BinarySession::Step BinarySession::Refuse(Turn& turn) {
  const BinaryParseResult& refused = turn.parsed;
  if (link_.IsDatagram()) return Next::kRefuse;
  turn.Consume(refused.consumed_bytes);
  if (!refused.is_hopeless) {
    SwallowThenAnswer(refused.value_bytes, refused.error, refused.echo);
    return std::nullopt;
  }
  turn.replies.BeginAnswer();
  WriteBinaryError(refused.echo, refused.error, turn.replies);
  return Next::kRefuse;
}

// memcached does not count a flush that is refused in this protocol; in the other it does.
BinarySession::Step BinarySession::Handle(Turn& turn) {
  const BinaryParseResult& parsed = turn.parsed;
  const protocol::Request& request = parsed.request;
  const bool may_flush = context_.environment.Options().flush_enabled;
  const Outcome outcome = request.command == Command::kFlushAll && !may_flush
                              ? Outcome{.status = Status::kFlushNotAllowed}
                              : HandlerOf(request.command)(context_, request, turn.replies);
  Answer(*parsed.opcode, parsed.echo, outcome, turn.replies);
  turn.Consume(parsed.consumed_bytes);
  return std::nullopt;
}

BinarySession::Step BinarySession::ShowStats(Turn& turn) {
  const BinaryParseResult& parsed = turn.parsed;
  WriteBinaryStats(context_, parsed.echo, parsed.request.key, turn.replies);
  turn.Consume(parsed.consumed_bytes);
  SwallowThenAnswer(parsed.value_bytes, Status::kNone, {});
  if (context_.feed != nullptr) {
    feed_ = std::move(context_.feed);
    phase_ = Phase::kFeed;
  }
  return std::nullopt;
}

BinarySession::Step BinarySession::DrainFeed(Turn& turn) {
  switch (feed_->Drain(turn.replies)) {
    case Feed::State::kWaiting:
      return Next::kAwait;
    case Feed::State::kMore:
      return Next::kYield;
    case Feed::State::kDone:
      feed_.reset();
      phase_ = Phase::kSwallow;  // of what stood behind the request, nothing mostly
      return std::nullopt;
    case Feed::State::kClose:
      return Next::kClose;
  }
  return Next::kAbort;
}

BinarySession::Step BinarySession::LookUp(Turn& turn) {
  BinaryLookUpGroup group(context_);
  for (;;) {
    const bool may_have_company = IsPlainLookUp(turn.parsed);
    group.Add(turn.parsed);
    turn.Consume(turn.parsed.consumed_bytes);
    Swallow(turn.parsed.value_bytes);
    if (!may_have_company || group.IsFull() || turn.requests_left == 0) break;
    turn.Parse();
    if (turn.parsed.status != ParseStatus::kRequest || !IsPlainLookUp(turn.parsed)) break;
    --turn.requests_left;
  }
  group.Answer(turn.replies);
  return std::nullopt;
}

// --- values ------------------------------------------------------------------------------------

BinarySession::Step BinarySession::BeginValue(Turn& turn) {
  BinaryParseResult& parsed = turn.parsed;
  if (!context_.environment.Options().use_cas) parsed.request.number = 0;
  store_ = TakeStore(context_);
  const Status refusal = store_->Begin(context_, parsed.request);
  if (refusal == Status::kNone) {
    asker_ = {.echo = parsed.echo, .opcode = parsed.opcode};
    phase_ = Phase::kValue;
  } else {
    GiveBackStore(context_, std::move(store_));
    SwallowThenAnswer(parsed.value_bytes, refusal, parsed.echo);
  }
  turn.Consume(parsed.consumed_bytes);
  return std::nullopt;
}

BinarySession::Step BinarySession::ContinueValue(Turn& turn) {
  turn.Consume(store_->Fill(turn.rest));
  if (!store_->IsFull()) return AwaitValue();
  Outcome outcome = store_->Finish(context_, protocol::kLineEnd);
  GiveBackStore(context_, std::move(store_));
  outcome.status = Explain(outcome.status, *asker_.opcode->command);
  Answer(*asker_.opcode, asker_.echo, outcome, turn.replies);
  phase_ = Phase::kPacket;
  return std::nullopt;
}

// As memcached does when it runs out of memory half-way: the rest is dropped, the old item stays.
BinarySession::Step BinarySession::AwaitValue() {
  const auto missing_bytes = static_cast<uint32_t>(store_->Unfilled().size());
  if (store_->KeepUnderWay(context_)) return Next::kNeedInput;
  GiveBackStore(context_, std::move(store_));
  SwallowThenAnswer(missing_bytes, Status::kNoMemoryDuringRead, asker_.echo);
  return std::nullopt;
}

std::span<char> BinarySession::DirectInput() {
  if (phase_ != Phase::kValue) return {};
  const std::span<char> unfilled = store_->Unfilled();
  return unfilled.size() >= Session::kDirectInputBytesMin ? unfilled : std::span<char>{};
}

// Nothing stands behind a value: its last byte completes the request.
StreamStep BinarySession::OnDirectInput(size_t bytes, protocol::ReplySink& replies) {
  store_->Advance(bytes);
  return store_->IsFull() ? OnInput({}, 0, replies) : StreamStep{};
}

StreamHandler::Wants BinarySession::Wanted() const {
  if (phase_ == Phase::kValue) return Wants::kValue;
  return phase_ == Phase::kSwallow ? Wants::kRefusedValue : Wants::kRequest;
}

void BinarySession::Swallow(uint32_t bytes) {
  if (bytes != 0) SwallowThenAnswer(bytes, Status::kNone, {});
}

void BinarySession::SwallowThenAnswer(uint32_t bytes, Status error, protocol::BinaryEcho echo) {
  swallow_bytes_ = bytes;
  swallow_error_ = error;
  asker_.echo = echo;
  phase_ = Phase::kSwallow;
}

BinarySession::Step BinarySession::ContinueSwallowing(Turn& turn) {
  const size_t bytes = std::min<size_t>(swallow_bytes_, turn.rest.size());
  turn.Consume(bytes);
  swallow_bytes_ -= static_cast<uint32_t>(bytes);
  if (swallow_bytes_ != 0) return Next::kNeedInput;
  if (swallow_error_ != Status::kNone) {
    turn.replies.BeginAnswer();
    WriteBinaryError(asker_.echo, swallow_error_, turn.replies);
  }
  phase_ = Phase::kPacket;
  return std::nullopt;
}

}  // namespace larder::server
