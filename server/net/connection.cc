#include "server/net/connection.h"

#include <algorithm>
#include <array>
#include <utility>

namespace larder::server {
namespace {

// Replies of a connection that yields wait for those of its next turn, up to this, so that a
// deep pipeline is answered with a few large sends instead of one for each turn.
constexpr size_t kYieldFlushBytes = 16 * 1024;

// While a handler awaits, its connection hears of the peer's end, and of an error, without
// receiving. Edge-triggered, so that bytes which are to stay in the socket are reported once and
// not for ever; every change of what is watched reports what is true already, so no edge is lost.
// EV_READ stands for errors, which libevent does not report to those who ask for EV_CLOSED only.
constexpr short kAwaitEvents = EV_READ | EV_CLOSED | EV_ET;

// What is received at once of a value: some 0.2 ms.
constexpr size_t kDirectBytesMax = 256 * 1024;

constexpr std::string_view kNoMemoryText = "SERVER_ERROR out of memory reading request\r\n";

}  // namespace

// What a connection keeps once its handler has asked for the Waker.
struct Connection::Await {
  std::shared_ptr<ConnectionWaker> waker;
  // Somebody else works for the connection, from GetWaker to the next kNeedInput.
  bool is_fed = false;
  bool is_pending = false;  // replies wait
  uint32_t progress_s = 0;  // when the peer last took something, or something began to wait
};

Connection::Connection(ConnectionHost& host, std::unique_ptr<Transport> transport,
                       Binding protocols, WorkerService& service)
    : host_(host),
      transport_(std::move(transport)),
      last_request_s_(host.NowSeconds()),
      protocols_(protocols) {
  handler_ = service.MakeHandler(*this);  // which may ask about the connection already
}

Connection::~Connection() {
  // The socket may be watched no longer when the transport closes it.
  if (watched_events_ != 0) event_del(&event_);
  if (await_ != nullptr) await_->waker->Forget();
}

std::shared_ptr<Waker> Connection::GetWaker() {
  if (await_ == nullptr) await_.reset(new Await{host_.MakeWaker(*this)});
  await_->is_fed = true;
  return await_->waker;
}

Connection::State Connection::Start(event_base* base) {
  event_assign(&event_, base, Fd(), EV_READ | EV_PERSIST, host_.EventCallback(), this);
  if (host_.Limits().idle_timeout_s != 0) host_.InspectBy(*IdleAt());
  return Watch(EV_READ) == State::kOpen ? State::kOpen : Close(CloseReason::kError);
}

Connection::State Connection::OnEvent(short what) {
  const bool is_await_event = (watched_events_ & EV_ET) != 0;
  if (is_await_event && MeetPeersEnd() == State::kClosed) return State::kClosed;
  if ((what & EV_WRITE) != 0) {
    host_.replies_.Attach(backlog_);
    if (Flush() == State::kClosed) return State::kClosed;
  }
  const bool may_receive = !is_await_event && !is_resuming_ && (watched_events_ & EV_READ) != 0;
  if ((what & EV_READ) != 0 && may_receive) return Receive();
  return State::kOpen;
}

Connection::State Connection::Resume() {
  is_resuming_ = false;
  host_.replies_.Attach(backlog_);
  return Handle(held_.View());
}

Connection::State Connection::HandleReceived(std::string_view input) {
  host_.replies_.Attach(backlog_);
  return Handle(input);
}

// One that does not await now is in line already, or looks by itself when it is called next.
// Also while replies wait: whoever works for the handler may have given it up.
void Connection::OnWake() {
  if (is_awaiting_ || is_blocked_) GetInLine();
}

// A peer that is gone needs no answer. One that has only ended its side is the handler's to judge:
// `echo lru_crawler metadump all | nc -N` waits for its dump.
Connection::State Connection::MeetPeersEnd() {
  switch (transport_->Peer()) {
    case PeerState::kOpen:
      return State::kOpen;
    case PeerState::kFinished:
      return handler_->GoesOnWithoutPeer() ? State::kOpen : Close(CloseReason::kNormal);
    case PeerState::kGone:
      break;
  }
  return Close(CloseReason::kError);
}

Connection::State Connection::Receive() {
  const bool is_whole = held_.IsEmpty();
  if (is_whole) {
    const std::span<char> direct = handler_->DirectInput();
    if (!direct.empty()) return ReceiveDirect(direct);
  }
  ReadBuffer& buffer = host_.ahead_.Buffer();
  const std::span<char> room = buffer.Prepare(held_);
  const std::array<iovec, 1> pieces = {{{room.data(), room.size()}}};
  const IoResult received = transport_->Receive(pieces);
  State state = State::kOpen;
  if (!Accept(received, &state)) return state;
  const std::string_view input = buffer.Input(held_, received.bytes);
  if (!is_whole || input.size() > LookAhead::kInputBytesMax) return HandleReceived(input);
  host_.ahead_.Add(*this, *handler_, input);
  return State::kOpen;
}

// A value under way goes straight to its place. What follows it in the stream lands in the shared
// buffer, so that a small rest of a value does not cost a receive of its own. Of a very large value
// no more is taken at once than leaves the others their turn: the memory may be new, and is then
// slower to fill than to copy.
Connection::State Connection::ReceiveDirect(std::span<char> direct) {
  const bool is_cut = direct.size() > kDirectBytesMax;
  if (is_cut) direct = direct.first(kDirectBytesMax);
  host_.replies_.Attach(backlog_);
  const std::span<char> spill = host_.ahead_.Buffer().All();
  const std::array<iovec, 2> pieces = {
      {{direct.data(), direct.size()}, {spill.data(), spill.size()}}};
  const IoResult received = transport_->Receive(std::span(pieces).first(is_cut ? 1 : 2));
  State state = State::kOpen;
  if (!Accept(received, &state)) return state;

  last_request_s_ = host_.NowSeconds();
  const size_t direct_bytes = std::min(received.bytes, direct.size());
  const std::string_view rest(spill.data(), received.bytes - direct_bytes);
  const StreamStep step = handler_->OnDirectInput(direct_bytes, host_.replies_);
  host_.turn_clock_.CountRequests(step.request_count);
  if (step.next == StreamStep::Next::kNeedInput && !rest.empty()) return Handle(rest);
  return Conclude(step, rest);
}

bool Connection::Accept(const IoResult& received, State* state) {
  switch (received.status) {
    case IoResult::Status::kDone:
      host_.counters_.bytes_read.Add(received.bytes);
      return true;
    case IoResult::Status::kWouldBlock:
      break;
    case IoResult::Status::kEnd:
      is_closing_ = true;  // the handler waited for input, so all that was complete is answered
      *state = Settle();
      break;
    case IoResult::Status::kBroken:
      *state = Close(CloseReason::kError);
      break;
  }
  return false;
}

Connection::State Connection::Handle(std::string_view input) {
  const StreamStep step =
      handler_->OnInput(input, host_.limits_.requests_per_turn_max, host_.replies_);
  host_.turn_clock_.CountRequests(step.request_count);
  if (step.consumed_bytes > 0) last_request_s_ = host_.NowSeconds();
  return Conclude(step, input.substr(step.consumed_bytes));
}

Connection::State Connection::Conclude(const StreamStep& step, std::string_view rest) {
  held_.Keep(rest, host_.counters_.held_input);
  if (!rest.empty() && host_.BuffersAreFull()) return RefuseInput(step.next);
  switch (step.next) {
    case StreamStep::Next::kNeedInput:
      if (await_ != nullptr) await_->is_fed = false;
      break;
    case StreamStep::Next::kYield:
      return Yield();
    case StreamStep::Next::kBlocked:
      is_blocked_ = true;
      break;
    case StreamStep::Next::kAwait:
      is_awaiting_ = true;
      break;
    case StreamStep::Next::kRefuse:
      close_reason_ = CloseReason::kError;
      is_closing_ = true;
      break;
    case StreamStep::Next::kShutdown:
      close_reason_ = CloseReason::kShutdown;
      is_closing_ = true;
      break;
    case StreamStep::Next::kClose:
      is_closing_ = true;
      break;
    case StreamStep::Next::kAbort:
      host_.replies_.Drop();
      return Close(CloseReason::kError);
  }
  return Flush();
}

// The client is told only where an answer may stand: not in the middle of one.
Connection::State Connection::RefuseInput(StreamStep::Next next) {
  using Next = StreamStep::Next;
  host_.counters_.input_refusals.Add(1);
  held_.Clear();
  if (next != Next::kNeedInput && next != Next::kYield) {
    host_.replies_.Drop();
    return Close(CloseReason::kError);
  }
  host_.replies_.Append(kNoMemoryText);
  close_reason_ = CloseReason::kError;
  is_closing_ = true;
  return Flush();
}

Connection::State Connection::Yield() {
  host_.counters_.yields.Add(1);
  if (host_.replies_.PendingBytes() >= kYieldFlushBytes) {
    is_blocked_ = true;  // only for as long as the socket does not take them
    return Flush();
  }
  host_.replies_.Keep();
  GetInLine();
  return State::kOpen;
}

void Connection::GetInLine() {
  is_blocked_ = false;
  is_awaiting_ = false;
  is_resuming_ = true;
  host_.ResumeSoon(*this);
}

Connection::State Connection::Flush() {
  IoResult sent = host_.replies_.Flush(*transport_);
  // While it awaits, the socket is reported when it begins to take bytes and not again.
  for (size_t bytes = sent.bytes; is_awaiting_ && bytes >= kSendBytesMax && PendingBytes() > 0;) {
    const IoResult more = backlog_->Send(*transport_);
    bytes = more.bytes;
    sent = {.status = more.status, .bytes = sent.bytes + more.bytes};
  }
  host_.counters_.bytes_written.Add(sent.bytes);
  if (sent.status == IoResult::Status::kBroken) return Close(CloseReason::kError);
  if (PendingBytes() == 0) backlog_.reset();
  if (backlog_ != nullptr && host_.BuffersAreFull()) {
    host_.counters_.reply_refusals.Add(1);
    return Close(CloseReason::kError);
  }
  if (await_ != nullptr) NoteProgress(sent.bytes);
  return Settle();
}

// The clock of a stall runs while replies wait, and starts again with each byte that is taken.
void Connection::NoteProgress(size_t sent_bytes) {
  const bool is_pending = PendingBytes() > 0;
  if (sent_bytes > 0 || !await_->is_pending) await_->progress_s = host_.NowSeconds();
  await_->is_pending = is_pending;
  if (const std::optional<uint32_t> due_s = StalledAt()) host_.InspectBy(*due_s);
}

// Derives from the facts what happens next; see the top of connection.h.
Connection::State Connection::Settle() {
  const size_t pending_bytes = PendingBytes();
  if (is_blocked_ && pending_bytes == 0) GetInLine();
  if (is_closing_ && pending_bytes == 0) return State::kClosed;

  if (pending_bytes > kPendingBytesMax) is_paused_ = true;
  if (pending_bytes == 0) is_paused_ = false;
  const bool wants_input = !is_closing_ && !is_blocked_ && !is_paused_;
  short events = 0;
  if (is_awaiting_) {
    events = kAwaitEvents;
  } else if (wants_input) {
    events = EV_READ;
  }
  if (pending_bytes > 0) events |= EV_WRITE;
  return Watch(events);
}

Connection::State Connection::Watch(short events) {
  if (events == watched_events_) return State::kOpen;
  if (watched_events_ != 0) event_del(&event_);
  watched_events_ = 0;
  if (events == 0) return State::kOpen;
  event_assign(&event_, event_get_base(&event_), Fd(), static_cast<short>(events | EV_PERSIST),
               host_.EventCallback(), this);
  if (event_add(&event_, nullptr) != 0) return Close(CloseReason::kError);
  watched_events_ = events;
  return State::kOpen;
}

Connection::State Connection::Close(CloseReason reason) {
  close_reason_ = reason;
  return State::kClosed;
}

// --- seen from outside -------------------------------------------------------------------------

// The second in which it is idle for too long, if nothing comes. Only a connection that waits for
// its client, and for nothing else, can be idle.
std::optional<uint32_t> Connection::IdleAt() const {
  const bool waits_for_client =
      !is_resuming_ && !is_blocked_ && !is_awaiting_ && !is_closing_ && PendingBytes() == 0;
  if (host_.Limits().idle_timeout_s == 0 || !waits_for_client) return std::nullopt;
  return last_request_s_ + host_.Limits().idle_timeout_s + 1;
}

std::optional<uint32_t> Connection::StalledAt() const {
  if (await_ == nullptr || !await_->is_fed || PendingBytes() == 0) return std::nullopt;
  return await_->progress_s + host_.Limits().stall_timeout_s;
}

Connection::State Connection::Inspect(std::optional<uint32_t>* due_s) {
  const uint32_t now_s = host_.NowSeconds();
  const std::optional<uint32_t> idle_at_s = IdleAt();
  if (idle_at_s.has_value() && *idle_at_s <= now_s) {
    host_.counters_.idle_kicks.Add(1);
    return Close(CloseReason::kIdleTimeout);
  }
  const std::optional<uint32_t> stalled_at_s = StalledAt();
  if (stalled_at_s.has_value() && *stalled_at_s <= now_s) {
    host_.counters_.stall_kicks.Add(1);
    return Close(CloseReason::kError);
  }
  *due_s = idle_at_s.has_value() ? idle_at_s : stalled_at_s;  // one excludes the other
  // One that is busy now may be idle from its next moment on, and sets no timer itself then.
  const uint32_t timeout_s = host_.Limits().idle_timeout_s;
  if (!due_s->has_value() && timeout_s != 0) *due_s = now_s + timeout_s + 1;
  return State::kOpen;
}

ConnectionFacts::State Connection::Activity() const {
  using Seen = ConnectionFacts::State;
  if (is_closing_) return Seen::kClosing;
  if (is_awaiting_) return Seen::kAwaiting;
  if (PendingBytes() > 0) return Seen::kWriting;
  if (is_resuming_) return Seen::kParsing;
  switch (handler_->Wanted()) {
    case StreamHandler::Wants::kFirstByte:
      return Seen::kNew;
    case StreamHandler::Wants::kRequest:
      break;
    case StreamHandler::Wants::kValue:
      return Seen::kValue;
    case StreamHandler::Wants::kRefusedValue:
      return Seen::kSwallow;
  }
  return Seen::kRead;
}

ConnectionFacts Connection::Describe() const {
  ConnectionFacts facts;
  facts.fd = Fd();
  facts.state = Activity();
  facts.address = DescribeAddress(transport_->PeerAddress(), /*is_udp=*/false);
  facts.listen_address = DescribeOwnAddress(Fd(), /*is_udp=*/false);
  facts.seconds_since_last_command = host_.NowSeconds() - last_request_s_;
  return facts;
}

RemoteEnd Connection::Remote() const {
  const SocketAddress peer = transport_->PeerAddress();
  const bool is_unix = peer.Family() != AF_INET && peer.Family() != AF_INET6;
  return {Fd(), is_unix ? Carrier::kUnix : Carrier::kTcp, peer.Number(), peer.Port()};
}

}  // namespace larder::server
