#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "server/net/transport.h"

namespace larder::server {
namespace {

IoResult Failure() {
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {IoResult::Status::kWouldBlock, 0};
  return {IoResult::Status::kBroken, 0};
}

// Repeats a system call that a signal interrupted.
template <typename Call>
ssize_t Retry(Call call) {
  ssize_t count = 0;
  do {
    count = call();
  } while (count < 0 && errno == EINTR);
  return count;
}

class SocketTransport : public Transport {
 public:
  explicit SocketTransport(UniqueFd socket) : socket_(std::move(socket)) {}

  IoResult Receive(std::span<const iovec> pieces) override {
    const ssize_t count = Retry([&] {
      // recv takes a shorter way through the kernel than readv.
      if (pieces.size() == 1) return ::recv(Fd(), pieces[0].iov_base, pieces[0].iov_len, 0);
      return ::readv(Fd(), pieces.data(), static_cast<int>(pieces.size()));
    });
    if (count < 0) return Failure();
    if (count == 0) return {IoResult::Status::kEnd, 0};
    return {IoResult::Status::kDone, static_cast<size_t>(count)};
  }

  IoResult Send(std::span<const iovec> pieces) override {
    const ssize_t count = Retry([&] {
      if (pieces.size() == 1) {
        return ::send(Fd(), pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL);
      }
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(pieces.data());  // sendmsg reads it only
      message.msg_iovlen = pieces.size();
      return ::sendmsg(Fd(), &message, MSG_NOSIGNAL);
    });
    if (count < 0) return Failure();
    return {IoResult::Status::kDone, static_cast<size_t>(count)};
  }

  PeerState Peer() const override {
    pollfd asked{Fd(), POLLRDHUP, 0};
    if (Retry([&] { return ::poll(&asked, 1, /*timeout=*/0); }) <= 0) return PeerState::kOpen;
    if ((asked.revents & (POLLERR | POLLHUP)) != 0) return PeerState::kGone;
    return PeerState::kFinished;
  }

  int Fd() const override { return socket_.Get(); }

 private:
  UniqueFd socket_;
};

// The address of an IPv4 client, in what a heap object of this size wastes otherwise.
class ShortAddress {
 public:
  explicit ShortAddress(const SocketAddress& address)
      : number_(address.V4().sin_addr.s_addr), port_(address.V4().sin_port) {}

  [[nodiscard]] SocketAddress Whole() const {
    sockaddr_in whole{};
    whole.sin_family = AF_INET;
    whole.sin_addr.s_addr = number_;
    whole.sin_port = port_;
    return SocketAddress(whole);
  }

 private:
  const in_addr_t number_;
  const in_port_t port_;
};

class WholeAddress {
 public:
  explicit WholeAddress(const SocketAddress& address) : address_(address) {}
  [[nodiscard]] SocketAddress Whole() const { return address_; }

 private:
  const SocketAddress address_;
};

// The system forgets a client's address when the connection breaks, so it is kept.
template <typename Address>
class AddressedTransport final : public SocketTransport {
 public:
  AddressedTransport(UniqueFd socket, const SocketAddress& peer)
      : SocketTransport(std::move(socket)), peer_(peer) {}
  SocketAddress PeerAddress() const override { return peer_.Whole(); }

 private:
  const Address peer_;
};
static_assert(sizeof(AddressedTransport<ShortAddress>) <= 24, "an idle connection costs little");

}  // namespace

std::unique_ptr<Transport> MakeSocketTransport(UniqueFd socket, const SocketAddress& peer) {
  if (peer.Family() == AF_INET) {
    return std::make_unique<AddressedTransport<ShortAddress>>(std::move(socket), peer);
  }
  return std::make_unique<AddressedTransport<WholeAddress>>(std::move(socket), peer);
}

}  // namespace larder::server
