#include "server/commands/session.h"

#include <utility>

#include "protocol/binary_format.h"
#include "protocol/key_guess.h"
#include "protocol/limits.h"
#include "protocol/text_encoder.h"
#include "protocol/text_parser.h"
#include "protocol/tokens.h"
#include "server/commands/binary_session.h"
#include "server/commands/dispatch.h"
#include "server/commands/retrieval.h"

namespace larder::server {

using protocol::CommandSyntax;
using protocol::ParseResult;
using protocol::ParseStatus;
using protocol::Request;
using protocol::Status;
using Next = StreamStep::Next;

// The requests that stand next to each other in a turn's input. The result of looking at the line
// that comes next is kept until the line is consumed, so that a look ahead is not done twice.
struct Session::Stretch {
  // A retrieval may have a million keys; after this many groups of them the others' turn comes.
  static constexpr uint32_t kKeyGroupsMax = 128;

  Turn& turn;
  protocol::MetaArguments& meta;
  ParseResult& parsed;
  uint32_t key_groups_left = kKeyGroupsMax;
  bool is_parsed = false;

  void Parse(size_t scanned_bytes) {
    if (is_parsed) return;
    protocol::ParseTextRequest(turn.rest, meta, scanned_bytes, parsed);
    is_parsed = true;
  }

  void Consume(size_t bytes) {
    turn.Consume(bytes);
    is_parsed = false;
  }
  void ConsumeParsed() { Consume(parsed.consumed_bytes); }
};

// --- the protocol ------------------------------------------------------------------------------

StreamStep Session::OnInput(std::string_view input, uint32_t requests_max,
                            protocol::ReplySink& replies) {
  if (binary_ != nullptr) return binary_->OnInput(input, requests_max, replies);
  return ProtocolSession::OnInput(input, requests_max, replies);
}

std::span<char> Session::DirectInput() {
  return binary_ != nullptr ? binary_->DirectInput() : ProtocolSession::DirectInput();
}

StreamStep Session::OnDirectInput(size_t bytes, protocol::ReplySink& replies) {
  if (binary_ != nullptr) return binary_->OnDirectInput(bytes, replies);
  return ProtocolSession::OnDirectInput(bytes, replies);
}

uint64_t Session::LookAhead(std::string_view input) const {
  return binary_ != nullptr ? binary_->LookAhead(input) : Foresee(protocol::GuessTextKey(input));
}

StreamHandler::Wants Session::Wanted() const {
  if (!has_begun_) return Wants::kFirstByte;
  return binary_ != nullptr ? binary_->Wanted() : ProtocolSession::Wanted();
}

// What the turn ends with, if the stream is another protocol's.
Session::Step Session::MeetFirstByte(Turn& turn) {
  if (turn.rest.empty()) return Next::kNeedInput;
  has_begun_ = true;
  const Binding binding = link_.Protocols();
  const bool has_magic = turn.rest.front() == protocol::kBinaryRequestMagic;
  if (binding != Binding::kBinary && !(binding == Binding::kAuto && has_magic)) return std::nullopt;
  binary_ = MakeBinarySession(context_, link_);
  const StreamStep step = binary_->OnInput(turn.rest, turn.requests_left, turn.replies);
  turn.Consume(step.consumed_bytes);
  turn.requests_left -= step.request_count;
  return step.next;
}

// --- requests ----------------------------------------------------------------------------------

Session::Step Session::TakeRequests(Turn& turn) {
  if (!has_begun_) {
    if (const Step end = MeetFirstByte(turn)) return end;
  }
  Stretch stretch{.turn = turn, .meta = context_.meta, .parsed = context_.parsed};
  do {
    const bool has_keys_left = keys_bytes_ != 0;
    if (const Step end = has_keys_left ? ContinueKeys(stretch) : NextRequest(stretch)) return end;
  } while (TakesRequests() && !turn.IsBlocked());
  return std::nullopt;
}

Session::Step Session::NextRequest(Stretch& stretch) {
  Turn& turn = stretch.turn;
  if (const Step end = BeforeRequest(turn)) return end;
  stretch.Parse(scanned_bytes_);
  const bool is_partial = stretch.parsed.status == ParseStatus::kNeedMore;
  scanned_bytes_ = is_partial ? static_cast<uint32_t>(turn.rest.size()) : 0;
  if (const Step end = AfterParsing(turn, stretch.parsed.status)) return end;
  const bool is_refused = stretch.parsed.status == ParseStatus::kError;
  return is_refused ? RefuseRequest(stretch) : CarryOut(stretch);
}

Session::Step Session::CarryOut(Stretch& stretch) {
  const Request& request = stretch.parsed.request;
  protocol::ReplySink& replies = stretch.turn.replies;
  switch (protocol::RecordOf(request.command).syntax) {
    case CommandSyntax::kKeys:
    case CommandSyntax::kExptimeAndKeys:
      return Retrieve(stretch);
    case CommandSyntax::kStorage:
    case CommandSyntax::kMetaStorage:
      return BeginValue(stretch);
    default:
      break;
  }
  replies.BeginAnswer();
  const Handler handler = HandlerOf(request.command);
  if (handler == nullptr) {  // quit
    stretch.ConsumeParsed();
    return Next::kClose;
  }
  const protocol::Outcome outcome = handler(context_, request, replies);
  if (!request.noreply) WriteOutcome(outcome, replies);
  stretch.ConsumeParsed();
  TakeFeed();
  // `mn` is a barrier: what was answered up to here goes out before anything else is done.
  const bool is_barrier = request.command == protocol::Command::kMetaNoop;
  if (is_barrier && !stretch.turn.rest.empty()) return Next::kBlocked;
  return std::nullopt;
}

// What a datagram has that cannot be understood is not answered: its sender may be forged, and the
// answer to an answer of ours, sent to us in our own name, would never end.
Session::Step Session::RefuseRequest(Stretch& stretch) {
  if (link_.IsDatagram()) return Next::kRefuse;
  const ParseResult& refused = stretch.parsed;
  Swallow(refused.swallow_bytes, refused.request.noreply ? Status::kNone : refused.error);
  stretch.ConsumeParsed();
  return std::nullopt;
}

void Session::AnswerRefusal(Status error, protocol::ReplySink& replies) {
  replies.BeginAnswer();
  WriteStatus(error, replies);
}

// --- values ------------------------------------------------------------------------------------

Session::Step Session::BeginValue(Stretch& stretch) {
  const Request& request = stretch.parsed.request;
  store_ = TakeStore(context_);
  const Status refusal = store_->Begin(context_, request);
  stretch.ConsumeParsed();
  if (refusal == Status::kNone) return StartValue(stretch.turn);
  GiveBackStore(context_, std::move(store_));
  constexpr uint32_t kEndBytes = protocol::kValueEndBytes;
  Swallow(request.value_bytes + kEndBytes, request.noreply ? Status::kNone : refusal);
  return std::nullopt;
}

void Session::RefuseValue(uint32_t missing_bytes, Status why) {
  Swallow(missing_bytes, store_->IsSilentOn(why) ? Status::kNone : why);
}

// --- retrievals --------------------------------------------------------------------------------

Session::Step Session::Retrieve(Stretch& stretch) {
  RetrievalGroup group(context_);
  for (;;) {
    Request& request = stretch.parsed.request;
    if (!group.Add(request)) {
      SuspendRetrieval(stretch);
      break;
    }
    const bool may_have_company = IsPlainRetrieval(request.command);
    stretch.ConsumeParsed();
    if (!may_have_company || group.IsFull() || stretch.turn.requests_left == 0) break;
    stretch.Parse(0);
    if (stretch.parsed.status != ParseStatus::kRequest) break;
    if (!IsPlainRetrieval(stretch.parsed.request.command)) break;
    --stretch.turn.requests_left;
  }
  group.Answer(stretch.turn.replies);
  return std::nullopt;
}

// The request's next key is still ahead: the line is consumed up to it, and the rest remembered.
void Session::SuspendRetrieval(Stretch& stretch) {
  const Request& request = stretch.parsed.request;
  const char* const keys_end = request.more_keys.data() + request.more_keys.size();
  const auto next_key_at = static_cast<size_t>(request.key.data() - stretch.turn.rest.data());
  const auto keys_end_at = static_cast<size_t>(keys_end - stretch.turn.rest.data());
  keys_bytes_ = static_cast<uint32_t>(keys_end_at - next_key_at);
  keys_end_bytes_ = static_cast<uint32_t>(stretch.parsed.consumed_bytes - keys_end_at);
  keys_command_ = request.command;
  keys_exptime_ = request.exptime;
  keys_fault_ = request.fault;
  stretch.Consume(next_key_at);
}

Session::Step Session::ContinueKeys(Stretch& stretch) {
  if (stretch.key_groups_left == 0) return Next::kYield;
  --stretch.key_groups_left;
  ParseResult& rest_of_line = stretch.parsed;
  rest_of_line.consumed_bytes = size_t{keys_bytes_} + keys_end_bytes_;
  rest_of_line.request = {};
  rest_of_line.request.command = keys_command_;
  rest_of_line.request.exptime = keys_exptime_;
  rest_of_line.request.fault = keys_fault_;
  rest_of_line.request.more_keys = stretch.turn.rest.substr(0, std::exchange(keys_bytes_, 0));
  rest_of_line.request.key = protocol::NextKey(rest_of_line.request.more_keys);
  return Retrieve(stretch);
}

}  // namespace larder::server
