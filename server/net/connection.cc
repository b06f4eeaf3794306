#include "server/net/connection.h"

#include <algorithm>
#include <array>
#include <utility>

namespace larder::server {
namespace {

// Replies of a connection that yields wait for those of its next turn, up to this, so that a
// deep pipeline is answered with a few large sends instead of one for each turn.
constexpr size_t kYieldFlushBytes = 16 * 1024;

}  // namespace

Connection::Connection(ConnectionHost& host, std::unique_ptr<Transport> transport,
                       WorkerService& service)
    : host_(host),
      transport_(std::move(transport)),
      handler_(service.MakeHandler(*this)),
      held_(host.counters_.held_input) {}

Connection::~Connection() {
  // The socket may be watched no longer when the transport closes it.
  if (watched_events_ != 0) event_del(&event_);
}

std::shared_ptr<Waker> Connection::GetWaker() { return nullptr; }

Connection::State Connection::Start(event_base* base) {
  event_assign(&event_, base, Fd(), EV_READ | EV_PERSIST, host_.EventCallback(), this);
  return Watch(EV_READ);
}

Connection::State Connection::OnEvent(short what) {
  if ((what & EV_WRITE) != 0) {
    host_.replies_.Attach(backlog_);
    if (Flush() == State::kClosed) return State::kClosed;
  }
  const bool may_receive = !is_resuming_ && (watched_events_ & EV_READ) != 0;
  if ((what & EV_READ) != 0 && may_receive) return Receive();
  return State::kOpen;
}

Connection::State Connection::Resume() {
  is_resuming_ = false;
  host_.replies_.Attach(backlog_);
  return Handle(held_.View());
}

Connection::State Connection::Receive() {
  host_.replies_.Attach(backlog_);
  if (held_.IsEmpty()) {
    const std::span<char> direct = handler_->DirectInput();
    if (!direct.empty()) return ReceiveDirect(direct);
  }
  const std::span<char> room = host_.input_.Prepare(held_);
  const std::array<iovec, 1> pieces = {{{room.data(), room.size()}}};
  const IoResult received = transport_->Receive(pieces);
  State state = State::kOpen;
  if (!Accept(received, &state)) return state;
  return Handle(host_.input_.Input(held_, received.bytes));
}

// A value under way goes straight to its place. What follows it in the stream lands in the shared
// buffer, so that a small rest of a value does not cost a receive of its own.
Connection::State Connection::ReceiveDirect(std::span<char> direct) {
  const std::span<char> spill = host_.input_.All();
  const std::array<iovec, 2> pieces = {
      {{direct.data(), direct.size()}, {spill.data(), spill.size()}}};
  const IoResult received = transport_->Receive(pieces);
  State state = State::kOpen;
  if (!Accept(received, &state)) return state;

  const size_t direct_bytes = std::min(received.bytes, direct.size());
  const std::string_view rest(spill.data(), received.bytes - direct_bytes);
  const StreamStep step = handler_->OnDirectInput(direct_bytes, host_.replies_);
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
      *state = State::kClosed;
      break;
  }
  return false;
}

Connection::State Connection::Handle(std::string_view input) {
  const StreamStep step = handler_->OnInput(input, host_.requests_per_turn_max_, host_.replies_);
  return Conclude(step, input.substr(step.consumed_bytes));
}

Connection::State Connection::Conclude(const StreamStep& step, std::string_view rest) {
  held_.Keep(rest);
  switch (step.next) {
    case StreamStep::Next::kNeedInput:
      break;
    case StreamStep::Next::kYield:
      return Yield();
    case StreamStep::Next::kBlocked:
      is_blocked_ = true;
      break;
    case StreamStep::Next::kAwait:
      break;
    case StreamStep::Next::kClose:
      is_closing_ = true;
      break;
    case StreamStep::Next::kAbort:
      host_.replies_.Drop();
      return State::kClosed;
  }
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
  is_resuming_ = true;
  host_.ResumeSoon(*this);
}

Connection::State Connection::Flush() {
  const IoResult sent = host_.replies_.Flush(*transport_);
  host_.counters_.bytes_written.Add(sent.bytes);
  if (sent.status == IoResult::Status::kBroken) return State::kClosed;
  if (PendingBytes() == 0) backlog_.reset();
  return Settle();
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
  if (wants_input) events |= EV_READ;
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
  if (event_add(&event_, nullptr) != 0) return State::kClosed;
  watched_events_ = events;
  return State::kOpen;
}

}  // namespace larder::server
