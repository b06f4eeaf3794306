#include "server/net/acceptor.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace larder::server {
namespace {

constexpr std::string_view kTooManyText = "ERROR Too many open connections\r\n";

// One listener's turn, so that the others and the timer get theirs under a storm of clients.
constexpr int kAcceptsPerEventMax = 64;

// How long accepting rests when the system is out of files.
constexpr timeval kPause = {0, 10'000};

// Errors of the one client that was to be accepted. Linux hands its network errors on through
// accept; the next client is not concerned.
bool ConcernsOneClient(int error_number) {
  switch (error_number) {
    case EINTR:
    case ECONNABORTED:
    case EPERM:  // a firewall rule forbids this one
    case EPROTO:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::unique_ptr<Acceptor> Acceptor::Create(std::vector<ListenSocket> sockets,
                                           const AcceptLimits& limits, Placement& placement,
                                           Log& log, Deal deal) {
  std::unique_ptr<Acceptor> acceptor(
      new Acceptor(std::move(sockets), limits, placement, log, std::move(deal)));
  acceptor->loop_ = EventLoop::Create([] {});
  if (acceptor->loop_ == nullptr || !acceptor->MakeEvents()) return nullptr;
  return acceptor;
}

Acceptor::~Acceptor() { Stop(); }

bool Acceptor::MakeEvents() {
  const auto on_client = [](evutil_socket_t fd, short, void* self) {
    static_cast<Acceptor*>(self)->AcceptFrom(fd);
  };
  for (const ListenSocket& socket : sockets_) {
    listen_events_.emplace_back(
        event_new(loop_->Base(), socket.fd.Get(), EV_READ | EV_PERSIST, on_client, this));
    if (listen_events_.back() == nullptr || event_add(listen_events_.back().get(), nullptr) != 0) {
      return false;
    }
  }
  const auto on_timer = [](evutil_socket_t, short, void* self) {
    static_cast<Acceptor*>(self)->Unpause();
  };
  pause_timer_.reset(event_new(loop_->Base(), -1, 0, on_timer, this));
  return pause_timer_ != nullptr;
}

void Acceptor::Start() {
  thread_ = std::thread([this] {
    // Acquire pairs with the release in Stop.
    while (!is_stopping_.load(std::memory_order_acquire)) loop_->RunOnce(/*may_wait=*/true);
  });
}

void Acceptor::Stop() {
  if (!thread_.joinable()) return;
  // Release: pairs with the acquire of the loop, which Wake makes it read.
  is_stopping_.store(true, std::memory_order_release);
  loop_->Wake();
  thread_.join();
  // Who still waits in a backlog is not to wait for ever.
  listen_events_.clear();
  for (ListenSocket& socket : sockets_) socket.fd.Close();
}

void Acceptor::AcceptFrom(int listen_fd) {
  for (int i = 0; i < kAcceptsPerEventMax; ++i) {
    if (!limits_.rejects_above && IsFull()) return Pause("too many open connections");
    Arrival arrival;
    socklen_t peer_bytes = SocketAddress::kBytesMax;
    arrival.socket = UniqueFd(
        ::accept4(listen_fd, arrival.peer.Data(), &peer_bytes, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (arrival.socket) {
      arrival.peer.Trim(peer_bytes);
      arrival.protocols = ProtocolsOf(listen_fd);
      Admit(std::move(arrival));
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    if (!ConcernsOneClient(errno)) return Pause(std::strerror(errno));
  }
}

Binding Acceptor::ProtocolsOf(int listen_fd) const {
  for (const ListenSocket& socket : sockets_) {
    if (socket.fd.Get() == listen_fd) return socket.protocols;
  }
  return Binding::kAuto;
}

// Only this thread adds, so the limit holds whatever the workers subtract meanwhile.
bool Acceptor::IsFull() const { return placement_.Total() >= limits_.clients_max; }

void Acceptor::Admit(Arrival arrival) {
  if (IsFull()) return Reject(arrival.socket);
  counters_.accepted.Add(1);
  deal_(placement_.Place(), std::move(arrival));
}

void Acceptor::Reject(const UniqueFd& socket) {
  counters_.rejected.Add(1);
  // A new socket's buffer has room for one line; if the client is gone already, so be it.
  [[maybe_unused]] const ssize_t sent =
      ::send(socket.Get(), kTooManyText.data(), kTooManyText.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Without a backlog the system refuses further clients, who may then try another server.
void Acceptor::Pause(std::string_view why) {
  counters_.is_paused.store(true, std::memory_order_relaxed);
  counters_.pauses.Add(1);
  paused_since_ = std::chrono::steady_clock::now();
  log_.Write(kLogEvent, "accepting paused", {{"reason", why}});
  // This takes back the events of listeners that are due in this very turn, too.
  for (const EventPtr& listen_event : listen_events_) event_del(listen_event.get());
  if (IsFull()) {
    for (const ListenSocket& socket : sockets_) ::listen(socket.fd.Get(), 0);
  }
  event_add(pause_timer_.get(), &kPause);
}

void Acceptor::Unpause() {
  if (!limits_.rejects_above && IsFull()) {
    event_add(pause_timer_.get(), &kPause);
    return;
  }
  const auto paused_for = std::chrono::steady_clock::now() - paused_since_;
  counters_.paused_us.Add(static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(paused_for).count()));
  counters_.is_paused.store(false, std::memory_order_relaxed);
  for (const ListenSocket& socket : sockets_) ::listen(socket.fd.Get(), limits_.backlog);
  for (const EventPtr& listen_event : listen_events_) event_add(listen_event.get(), nullptr);
}

}  // namespace larder::server
