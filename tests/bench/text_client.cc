#include "tests/bench/text_client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "tests/bench/local_socket.h"

namespace larder::bench {
namespace {

constexpr size_t kBufferBytes = 256 * 1024;  // grows when a body needs more
constexpr size_t kLineBytesMax = 2048;
constexpr time_t kSilenceSecondsMax = 60;  // a server that says nothing for so long is given up

}  // namespace

TextClient::TextClient() : buffer_(kBufferBytes) {}

TextClient::~TextClient() {
  if (socket_ >= 0) close(socket_);
}

bool TextClient::Connect(uint16_t port) {
  std::string complaint;
  socket_ = ConnectLocally(port, &complaint);
  if (socket_ < 0) return Fail(std::move(complaint));
  const timeval silence{.tv_sec = kSilenceSecondsMax, .tv_usec = 0};
  for (const int direction : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    setsockopt(socket_, SOL_SOCKET, direction, &silence, static_cast<socklen_t>(sizeof silence));
  }
  return true;
}

bool TextClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      return Fail(fmt::format("send: {}", std::strerror(errno)));
    }
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::optional<std::string_view> TextClient::ReadLine() {
  size_t searched = 0;
  while (true) {
    const std::string_view waiting = Waiting();
    if (const size_t newline = waiting.find('\n', searched); newline != std::string_view::npos) {
      begin_ += newline + 1;
      if (newline > 0 && waiting[newline - 1] == '\r') return waiting.substr(0, newline - 1);
      Fail(fmt::format("a line that ends without \\r\\n: '{}'", waiting.substr(0, newline)));
      return std::nullopt;
    }
    searched = waiting.size();
    if (searched > kLineBytesMax) {
      Fail("an endless line");
      return std::nullopt;
    }
    if (!ReadMore()) return std::nullopt;
  }
}

std::optional<std::string_view> TextClient::ReadBody(size_t byte_count) {
  while (Waiting().size() < byte_count + 2) {
    if (buffer_.size() < byte_count + 2) buffer_.resize(byte_count + 2);
    if (!ReadMore()) return std::nullopt;
  }
  const std::string_view body = Waiting().substr(0, byte_count);
  if (Waiting().substr(byte_count, 2) != "\r\n") {
    Fail("a value that does not end where its line says");
    return std::nullopt;
  }
  begin_ += byte_count + 2;
  return body;
}

bool TextClient::ReadMore() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  while (true) {
    const ssize_t received = recv(socket_, buffer_.data() + end_, buffer_.size() - end_, 0);
    if (received > 0) {
      end_ += static_cast<size_t>(received);
      return true;
    }
    if (received == 0) return Fail("the server closed the connection");
    if (errno == EAGAIN) return Fail("the server fell silent");
    if (errno != EINTR) return Fail(fmt::format("recv: {}", std::strerror(errno)));
  }
}

bool TextClient::Fail(std::string complaint) {
  if (complaint_.empty()) complaint_ = std::move(complaint);
  return false;
}

}  // namespace larder::bench
