#include "server/commands/binary_session.h"

#include <utility>

#include "protocol/binary_parser.h"
#include "protocol/key_guess.h"
#include "server/commands/binary_answer.h"
#include "server/commands/binary_retrieval.h"
#include "server/commands/binary_stats.h"
#include "server/commands/dispatch.h"

namespace larder::server {

using protocol::BinaryParseResult;
using protocol::BinaryWork;
using protocol::Command;
using protocol::Outcome;
using protocol::ParseStatus;
using protocol::Status;
using Next = StreamStep::Next;

// The packets that stand next to each other in a turn's input. The one that comes next is parsed
// once, however often it is looked at.
struct BinarySession::Stretch {
  Turn& turn;
  bool is_parsed = false;
  BinaryParseResult parsed = {};

  void Parse() {
    if (is_parsed) return;
    parsed = protocol::ParseBinaryRequest(turn.rest);
    is_parsed = true;
  }

  void ConsumeParsed() {
    turn.Consume(parsed.consumed_bytes);
    is_parsed = false;
  }
  [[nodiscard]] BinaryAsker Asker() const { return {parsed.opcode, parsed.echo}; }
};

std::unique_ptr<StreamHandler> MakeBinarySession(WorkerContext& context, ConnectionLink& link) {
  return std::make_unique<BinarySession>(context, link);
}

uint64_t BinarySession::LookAhead(std::string_view input) const {
  return Foresee(protocol::GuessBinaryKey(input));
}

// --- packets -----------------------------------------------------------------------------------

BinarySession::Step BinarySession::TakeRequests(Turn& turn) {
  Stretch stretch{.turn = turn};
  do {
    if (const Step end = NextPacket(stretch)) return end;
  } while (TakesRequests() && !turn.IsBlocked());
  return std::nullopt;
}

BinarySession::Step BinarySession::NextPacket(Stretch& stretch) {
  if (const Step end = BeforeRequest(stretch.turn)) return end;
  stretch.Parse();
  if (const Step end = AfterParsing(stretch.turn, stretch.parsed.status)) return end;
  const bool is_refused = stretch.parsed.status == ParseStatus::kError;
  return is_refused ? Refuse(stretch) : CarryOut(stretch);
}

BinarySession::Step BinarySession::CarryOut(Stretch& stretch) {
  switch (stretch.parsed.opcode->work) {
    case BinaryWork::kLookUp:
      return LookUp(stretch);
    case BinaryWork::kStore:
      return BeginValue(stretch);
    case BinaryWork::kStats:
      return ShowStats(stretch);
    case BinaryWork::kHandler:
      return Handle(stretch);
    case BinaryWork::kQuit:
      AnswerInPackets(stretch.Asker(), {.status = Status::kOk}, stretch.turn.replies);
      stretch.ConsumeParsed();
      return Next::kClose;
    case BinaryWork::kUnknown:  // the parser refuses them
      break;
  }
  return Next::kAbort;
}

// Datagrams whose senders may be forged draw nothing but what was asked for.
BinarySession::Step BinarySession::Refuse(Stretch& stretch) {
  if (link_.IsDatagram()) return Next::kRefuse;
  const BinaryParseResult& refused = stretch.parsed;
  stretch.ConsumeParsed();
  echo_ = refused.echo;
  if (!refused.is_hopeless) {
    Swallow(refused.value_bytes, refused.error);
    return std::nullopt;
  }
  AnswerRefusal(refused.error, stretch.turn.replies);
  return Next::kRefuse;
}

void BinarySession::AnswerRefusal(Status error, protocol::ReplySink& replies) {
  replies.BeginAnswer();
  WriteBinaryError(echo_, error, replies);
}

// memcached does not count a flush that is refused in this protocol; in the other it does.
BinarySession::Step BinarySession::Handle(Stretch& stretch) {
  const protocol::Request& request = stretch.parsed.request;
  const bool may_flush = context_.environment.Options().flush_enabled;
  const Outcome outcome = request.command == Command::kFlushAll && !may_flush
                              ? Outcome{.status = Status::kFlushNotAllowed}
                              : HandlerOf(request.command)(context_, request, stretch.turn.replies);
  AnswerInPackets(stretch.Asker(), outcome, stretch.turn.replies);
  stretch.ConsumeParsed();
  return std::nullopt;
}

BinarySession::Step BinarySession::ShowStats(Stretch& stretch) {
  const BinaryParseResult& parsed = stretch.parsed;
  WriteBinaryStats(context_, parsed.echo, parsed.request.key, stretch.turn.replies);
  stretch.ConsumeParsed();
  Swallow(parsed.value_bytes, Status::kNone);
  TakeFeed();
  return std::nullopt;
}

BinarySession::Step BinarySession::LookUp(Stretch& stretch) {
  BinaryLookUpGroup group(context_);
  for (;;) {
    const BinaryParseResult& parsed = stretch.parsed;
    const bool may_have_company = IsPlainLookUp(parsed);
    group.Add(parsed);
    stretch.ConsumeParsed();
    if (parsed.value_bytes != 0) Swallow(parsed.value_bytes, Status::kNone);
    if (!may_have_company || group.IsFull() || stretch.turn.requests_left == 0) break;
    stretch.Parse();
    if (parsed.status != ParseStatus::kRequest || !IsPlainLookUp(parsed)) break;
    --stretch.turn.requests_left;
  }
  group.Answer(stretch.turn.replies);
  return std::nullopt;
}

// --- values ------------------------------------------------------------------------------------

BinarySession::Step BinarySession::BeginValue(Stretch& stretch) {
  BinaryParseResult& parsed = stretch.parsed;
  if (!context_.environment.Options().use_cas) parsed.request.number = 0;
  echo_ = parsed.echo;
  store_ = TakeStore(context_);
  const Status refusal = store_->Begin(context_, parsed.request, stretch.Asker());
  stretch.ConsumeParsed();
  if (refusal == Status::kNone) return StartValue(stretch.turn);
  GiveBackStore(context_, std::move(store_));
  Swallow(parsed.value_bytes, refusal);
  return std::nullopt;
}

void BinarySession::RefuseValue(uint32_t missing_bytes, Status why) { Swallow(missing_bytes, why); }

}  // namespace larder::server
