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

class SocketTransport final : public Transport {
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

  int Fd() const override { return socket_.Get(); }

 private:
  UniqueFd socket_;
};

}  // namespace

std::unique_ptr<Transport> MakeSocketTransport(UniqueFd socket) {
  return std::make_unique<SocketTransport>(std::move(socket));
}

}  // namespace larder::server
