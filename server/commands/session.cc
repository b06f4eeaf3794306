#include "server/commands/session.h"

#include <algorithm>
#include <utility>

#include "protocol/binary_format.h"
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

// What one call works on. The result of looking at the line that comes next is kept until the
// line is consumed, so that a look ahead is not done twice.
struct Session::Turn {
  // A retrieval may have a million keys; after this many groups of them the others' turn comes.
  static constexpr uint32_t kKeyGroupsMax = 128;

  std::string_view rest;
  uint32_t requests_left;
  protocol::ReplySink& replies;
  protocol::MetaArguments& meta;
  size_t consumed_bytes = 0;
  uint32_t key_groups_left = kKeyGroupsMax;
  bool is_parsed = false;
  ParseResult parsed;

  std::string_view Consume(size_t bytes) {
    const std::string_view taken = rest.substr(0, bytes);
    rest.remove_prefix(bytes);
    consumed_bytes += bytes;
    is_parsed = false;
    return taken;
  }

  void Parse(size_t scanned_bytes) {
    if (is_parsed) return;
    parsed = protocol::ParseTextRequest(rest, meta, scanned_bytes);
    is_parsed = true;
  }
};

StreamStep Session::OnInput(std::string_view input, uint32_t requests_max,
                            protocol::ReplySink& replies) {
  if (binary_ != nullptr) return binary_->OnInput(input, requests_max, replies);
  context_.connection = &link_;
  context_.cache.SetOrigin(context_.worker, link_.Fd());
  Turn turn{.rest = input,
            .requests_left = requests_max,
            .replies = replies,
            .meta = context_.meta,
            .parsed = {}};
  const Next next = Run(turn);
  context_.cache.Quiesce(context_.worker);
  return {.next = next, .consumed_bytes = turn.consumed_bytes};
}

Next Session::Run(Turn& turn) {
  for (;;) {
    if (feed_ != nullptr && feed_->IsHopeless()) return Next::kAbort;
    if (turn.replies.PendingBytes() > kPendingReplyBytesMax) return Next::kBlocked;
    if (const Step end = Proceed(turn)) return *end;
  }
}

Session::Step Session::Proceed(Turn& turn) {
  switch (phase_) {
    case Phase::kFirstByte:
      return MeetFirstByte(turn);
    case Phase::kCommand:
      return NextRequest(turn);
    case Phase::kValue:
      return ContinueValue(turn);
    case Phase::kSwallow:
      return ContinueSwallowing(turn);
    case Phase::kKeys:
      return ContinueKeys(turn);
    case Phase::kFeed:
      return DrainFeed(turn);
  }
  return Next::kAbort;
}

// --- requests ----------------------------------------------------------------------------------

Session::Step Session::MeetFirstByte(Turn& turn) {
  if (turn.rest.empty()) return Next::kNeedInput;
  const Binding binding = link_.Protocols();
  const bool has_magic = turn.rest.front() == protocol::kBinaryRequestMagic;
  if (binding != Binding::kBinary && !(binding == Binding::kAuto && has_magic)) {
    phase_ = Phase::kCommand;
    return std::nullopt;
  }
  binary_ = MakeBinarySession(context_, link_);
  const StreamStep step = binary_->OnInput(turn.rest, turn.requests_left, turn.replies);
  turn.Consume(step.consumed_bytes);
  return step.next;
}

Session::Step Session::NextRequest(Turn& turn) {
  if (turn.rest.empty()) return Next::kNeedInput;
  if (turn.requests_left == 0) return Next::kYield;
  turn.Parse(scanned_bytes_);
  scanned_bytes_ = 0;
  switch (turn.parsed.status) {
    case ParseStatus::kNeedMore:
      scanned_bytes_ = static_cast<uint32_t>(turn.rest.size());
      return Next::kNeedInput;
    case ParseStatus::kClose:
      return Next::kRefuse;
    case ParseStatus::kError:
      --turn.requests_left;
      return RefuseRequest(turn);
    case ParseStatus::kRequest:
      --turn.requests_left;
      return CarryOut(turn);
  }
  return Next::kAbort;
}

Session::Step Session::CarryOut(Turn& turn) {
  const Request& request = turn.parsed.request;
  switch (protocol::RecordOf(request.command).syntax) {
    case CommandSyntax::kKeys:
    case CommandSyntax::kExptimeAndKeys:
      return Retrieve(turn);
    case CommandSyntax::kStorage:
    case CommandSyntax::kMetaStorage:
      return BeginValue(turn);
    default:
      break;
  }
  const Handler handler = HandlerOf(request.command);
  if (handler == nullptr) {  // quit
    turn.replies.BeginAnswer();
    turn.Consume(turn.parsed.consumed_bytes);
    return Next::kClose;
  }
  turn.replies.BeginAnswer();
  const protocol::Outcome outcome = handler(context_, request, turn.replies);
  if (!request.noreply) WriteOutcome(outcome, turn.replies);
  turn.Consume(turn.parsed.consumed_bytes);
  if (context_.feed != nullptr) {
    feed_ = std::move(context_.feed);
    phase_ = Phase::kFeed;
  }
  // `mn` is a barrier: what was answered up to here goes out before anything else is done.
  const bool is_barrier = request.command == protocol::Command::kMetaNoop;
  if (is_barrier && !turn.rest.empty()) return Next::kBlocked;
  return std::nullopt;
}

Session::Step Session::DrainFeed(Turn& turn) {
  switch (feed_->Drain(turn.replies)) {
    case Feed::State::kWaiting:
      return Next::kAwait;
    case Feed::State::kMore:
      return Next::kYield;
    case Feed::State::kDone:
      feed_.reset();
      phase_ = Phase::kCommand;
      return std::nullopt;
    case Feed::State::kClose:
      return Next::kClose;
  }
  return Next::kAbort;
}

// What a datagram has that cannot be understood is not answered: its sender may be forged, and the
// answer to an answer of ours, sent to us in our own name, would never end.
Session::Step Session::RefuseRequest(Turn& turn) {
  if (link_.IsDatagram()) return Next::kRefuse;
  const ParseResult& refused = turn.parsed;
  SwallowThenAnswer(refused.swallow_bytes, refused.error, refused.request.noreply);
  turn.Consume(refused.consumed_bytes);
  return std::nullopt;
}

// --- values ------------------------------------------------------------------------------------

Session::Step Session::BeginValue(Turn& turn) {
  const Request& request = turn.parsed.request;
  store_ = TakeStore(context_);
  const Status refusal = store_->Begin(context_, request);
  turn.Consume(turn.parsed.consumed_bytes);
  if (refusal != Status::kNone) {
    GiveBackStore(context_, std::move(store_));
    SwallowThenAnswer(request.value_bytes + protocol::kValueEndBytes, refusal, request.noreply);
    return std::nullopt;
  }
  phase_ = Phase::kValue;
  return ContinueValue(turn);
}

Session::Step Session::ContinueValue(Turn& turn) {
  turn.Consume(store_->Fill(turn.rest));
  if (!store_->IsFull() || turn.rest.size() < protocol::kValueEndBytes) return AwaitValue();
  const std::string_view value_end = turn.Consume(protocol::kValueEndBytes);
  turn.replies.BeginAnswer();
  store_->Answer(context_, store_->Finish(context_, value_end), turn.replies);
  GiveBackStore(context_, std::move(store_));
  phase_ = Phase::kCommand;
  return std::nullopt;
}

// As memcached does when it runs out of memory half-way: the rest is dropped, the old item stays.
Session::Step Session::AwaitValue() {
  const size_t missing_bytes = store_->Unfilled().size() + protocol::kValueEndBytes;
  if (store_->KeepUnderWay(context_)) return Next::kNeedInput;
  SwallowThenAnswer(missing_bytes, Status::kNoMemoryDuringRead, store_->IsCutShortSilently());
  GiveBackStore(context_, std::move(store_));
  return std::nullopt;
}

std::span<char> Session::DirectInput() {
  if (binary_ != nullptr) return binary_->DirectInput();
  if (phase_ != Phase::kValue) return {};
  const std::span<char> unfilled = store_->Unfilled();
  return unfilled.size() >= kDirectInputBytesMin ? unfilled : std::span<char>{};
}

StreamStep Session::OnDirectInput(size_t bytes, protocol::ReplySink& replies) {
  if (binary_ != nullptr) return binary_->OnDirectInput(bytes, replies);
  store_->Advance(bytes);
  return {};
}

StreamHandler::Wants Session::Wanted() const {
  if (binary_ != nullptr) return binary_->Wanted();
  if (phase_ == Phase::kValue) return Wants::kValue;
  return phase_ == Phase::kSwallow ? Wants::kRefusedValue : Wants::kRequest;
}

// The answer to a refused value waits for its end: only then can the client have read it as the
// answer to this request and not to one before.
void Session::SwallowThenAnswer(size_t bytes, Status error, bool noreply) {
  swallow_bytes_ = static_cast<uint32_t>(bytes);
  swallow_error_ = error;
  swallow_noreply_ = noreply;
  phase_ = Phase::kSwallow;
}

Session::Step Session::ContinueSwallowing(Turn& turn) {
  const size_t bytes = std::min<size_t>(swallow_bytes_, turn.rest.size());
  turn.Consume(bytes);
  swallow_bytes_ -= static_cast<uint32_t>(bytes);
  if (swallow_bytes_ != 0) return Next::kNeedInput;
  turn.replies.BeginAnswer();
  if (!swallow_noreply_) WriteStatus(swallow_error_, turn.replies);
  phase_ = Phase::kCommand;
  return std::nullopt;
}

// --- retrievals --------------------------------------------------------------------------------

Session::Step Session::Retrieve(Turn& turn) {
  RetrievalGroup group(context_);
  for (;;) {
    Request& request = turn.parsed.request;
    if (!group.Add(request)) {
      SuspendRetrieval(turn);
      break;
    }
    const bool may_have_company = IsPlainRetrieval(request.command);
    phase_ = Phase::kCommand;
    turn.Consume(turn.parsed.consumed_bytes);
    if (!may_have_company || group.IsFull() || turn.requests_left == 0) break;
    turn.Parse(0);
    if (turn.parsed.status != ParseStatus::kRequest) break;
    if (!IsPlainRetrieval(turn.parsed.request.command)) break;
    --turn.requests_left;
  }
  group.Answer(turn.replies);
  return std::nullopt;
}

// The request's next key is still ahead: the line is consumed up to it, and the rest remembered.
void Session::SuspendRetrieval(Turn& turn) {
  const Request& request = turn.parsed.request;
  const char* const keys_end = request.more_keys.data() + request.more_keys.size();
  const auto next_key_at = static_cast<size_t>(request.key.data() - turn.rest.data());
  const auto keys_end_at = static_cast<size_t>(keys_end - turn.rest.data());
  keys_bytes_ = static_cast<uint32_t>(keys_end_at - next_key_at);
  keys_end_bytes_ = static_cast<uint32_t>(turn.parsed.consumed_bytes - keys_end_at);
  keys_command_ = request.command;
  keys_exptime_ = request.exptime;
  keys_fault_ = request.fault;
  phase_ = Phase::kKeys;
  turn.Consume(next_key_at);
}

Session::Step Session::ContinueKeys(Turn& turn) {
  if (turn.key_groups_left == 0) return Next::kYield;
  --turn.key_groups_left;
  ParseResult& rest_of_line = turn.parsed;
  rest_of_line.consumed_bytes = size_t{keys_bytes_} + keys_end_bytes_;
  rest_of_line.request = {};
  rest_of_line.request.command = keys_command_;
  rest_of_line.request.exptime = keys_exptime_;
  rest_of_line.request.fault = keys_fault_;
  rest_of_line.request.more_keys = turn.rest.substr(0, keys_bytes_);
  rest_of_line.request.key = protocol::NextKey(rest_of_line.request.more_keys);
  return Retrieve(turn);
}

}  // namespace larder::server
