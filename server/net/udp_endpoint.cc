#include "server/net/udp_endpoint.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <utility>

#include "protocol/udp_frame.h"

namespace larder::server {
namespace {

// One endpoint's turn, so that connections and other endpoints get theirs.
constexpr int kDatagramsPerEventMax = 32;

// For handlers that ask although they are told not to wait.
class IdleWaker final : public Waker {
 public:
  void Wake() override {}
};

}  // namespace

UdpEndpoint::UdpEndpoint(ConnectionHost& host, ListenSocket socket, WorkerService& service)
    : host_(host),
      socket_(std::move(socket)),
      service_(service),
      last_request_s_(host.NowSeconds()) {}

bool UdpEndpoint::Start(event_base* base, event_callback_fn on_readable) {
  event_.reset(event_new(base, Fd(), EV_READ | EV_PERSIST, on_readable, this));
  return event_ != nullptr && event_add(event_.get(), nullptr) == 0;
}

std::shared_ptr<Waker> UdpEndpoint::GetWaker() { return std::make_shared<IdleWaker>(); }

void UdpEndpoint::Receive() {
  for (int i = 0; i < kDatagramsPerEventMax && !IsBusy(); ++i) {
    const std::span<char> room = host_.ahead_.Buffer().All();  // as large as a datagram can be
    socklen_t peer_bytes = SocketAddress::kBytesMax;
    const ssize_t count =
        ::recvfrom(Fd(), room.data(), room.size(), MSG_DONTWAIT, peer_.Data(), &peer_bytes);
    if (count < 0) return;
    peer_.Trim(peer_bytes);
    host_.counters_.bytes_read.Add(static_cast<uint64_t>(count));
    Serve({room.data(), static_cast<size_t>(count)});
  }
}

void UdpEndpoint::Serve(std::string_view datagram) {
  const std::optional<protocol::UdpRequest> request = protocol::ReadUdpRequest(datagram);
  if (!request.has_value()) return;
  last_request_s_ = host_.NowSeconds();
  request_id_ = request->request_id;
  sent_datagram_count_ = 0;
  is_exhausted_ = false;
  handler_ = service_.MakeHandler(*this);
  Continue(request->payload);
}

void UdpEndpoint::Resume() {
  const std::string input = std::exchange(rest_, {});
  Continue(input);
}

void UdpEndpoint::Continue(std::string_view input) {
  using Next = StreamStep::Next;
  const StreamStep step = handler_->OnInput(input, host_.limits_.requests_per_turn_max, replies_);
  host_.turn_clock_.CountRequests(step.request_count);
  switch (step.next) {
    case Next::kYield:
    case Next::kBlocked:
      host_.counters_.yields.Add(1);
      SendAnswers();
      // What is void needs no more work: a datagram may ask for far more than it may draw.
      if (is_exhausted_ || replies_.IsOver()) return Finish();
      rest_ = input.substr(step.consumed_bytes);
      return;
    case Next::kAwait:
    case Next::kAbort:
      replies_.DropAnswer();
      break;
    case Next::kClose:
    case Next::kShutdown: {
      const bool tells_end = replies_.IsAnswerEmpty();
      replies_.EndAnswer();
      SendAnswers();
      if (tells_end && sent_datagram_count_ == 0 && !is_exhausted_) {
        std::array<char, protocol::kUdpHeaderBytes> header;
        protocol::WriteUdpHeader({request_id_, 0, 0}, header.data());
        (void)Send(header.data(), {});
      }
      break;
    }
    case Next::kNeedInput:
    case Next::kRefuse:
      break;
  }
  Finish();
}

void UdpEndpoint::Finish() {
  replies_.EndAnswer();
  SendAnswers();
  replies_.Clear();
  handler_.reset();
}

void UdpEndpoint::SendAnswers() {
  for (size_t i = 0; i < replies_.AnswerCount() && !is_exhausted_; ++i) {
    is_exhausted_ = !SendAnswer(replies_.Answer(i));
  }
  replies_.Compact();
}

// False: the bound is reached, or the socket is full. Then nothing more is sent, because the client
// is to find answers missing at the end and not in the middle.
bool UdpEndpoint::SendAnswer(std::string_view answer) {
  const size_t total = protocol::UdpDatagramCount(answer.size());
  if (sent_datagram_count_ + total > DatagramReplies::kDatagramsMax) return false;
  sent_datagram_count_ += total;
  for (size_t sequence = 0; sequence < total; ++sequence) {
    std::array<char, protocol::kUdpHeaderBytes> header;
    protocol::WriteUdpHeader(
        {request_id_, static_cast<uint16_t>(sequence), static_cast<uint16_t>(total)},
        header.data());
    const size_t begin = sequence * protocol::kUdpPayloadBytesMax;
    if (!Send(header.data(), answer.substr(begin, protocol::kUdpPayloadBytesMax))) return false;
  }
  return true;
}

bool UdpEndpoint::Send(const char* header, std::string_view payload) {
  // Both are only read.
  std::array<iovec, 2> pieces = {{{const_cast<char*>(header), protocol::kUdpHeaderBytes},
                                  {const_cast<char*>(payload.data()), payload.size()}}};
  msghdr message{};
  message.msg_name = peer_.Data();
  message.msg_namelen = peer_.Bytes();
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  const ssize_t sent = ::sendmsg(Fd(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) return false;
  host_.counters_.bytes_written.Add(static_cast<uint64_t>(sent));
  return true;
}

ConnectionFacts UdpEndpoint::Describe() const {
  ConnectionFacts facts;
  facts.fd = Fd();
  facts.is_udp = true;
  facts.state = IsBusy() ? ConnectionFacts::State::kParsing : ConnectionFacts::State::kRead;
  facts.address = DescribeOwnAddress(Fd(), /*is_udp=*/true);
  facts.seconds_since_last_command = host_.NowSeconds() - last_request_s_;
  return facts;
}

}  // namespace larder::server
