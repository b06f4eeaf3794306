// tests/server/net/test_client.h - a blocking client on loopback or a unix socket. What takes
// longer than kPatience is a failure, never a hang.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>

#include "server/os/unique_fd.h"

namespace larder::server {

inline constexpr std::chrono::seconds kPatience{20};

class TestClient {
 public:
  // `receive_buffer_bytes` 0: the system's.
  static TestClient Tcp(uint16_t port, int receive_buffer_bytes = 0,
                        const char* host = "127.0.0.1") {
    TestClient client(AF_INET);
    if (receive_buffer_bytes != 0) {
      ::setsockopt(client.fd_.Get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                   sizeof(receive_buffer_bytes));
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, host, &address.sin_addr);
    client.Connect(reinterpret_cast<sockaddr*>(&address), sizeof(address));
    return client;
  }

  static TestClient Unix(const std::string& path) {
    TestClient client(AF_UNIX);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    client.Connect(reinterpret_cast<sockaddr*>(&address), sizeof(address));
    return client;
  }

  [[nodiscard]] bool IsConnected() const { return is_connected_; }
  [[nodiscard]] int Fd() const { return fd_.Get(); }

  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd_.Get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count < 0) return false;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }

  // Sends what fits at once; for a peer that may not be reading.
  size_t SendSome(std::string_view bytes) {
    const ssize_t count =
        ::send(fd_.Get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return count < 0 ? 0 : static_cast<size_t>(count);
  }

  // Less than `bytes` when the peer closes or kPatience is over.
  std::string Read(size_t bytes) {
    std::string text;
    char piece[64 * 1024];
    while (text.size() < bytes && Wait(POLLIN, kPatience)) {
      const size_t wanted = std::min(sizeof(piece), bytes - text.size());
      const ssize_t count = ::recv(fd_.Get(), piece, wanted, 0);
      if (count <= 0) break;
      text.append(piece, static_cast<size_t>(count));
    }
    return text;
  }

  std::string ReadToEnd() { return Read(SIZE_MAX); }

  // True once the peer has closed or reset the connection; skips what it still sent.
  bool SeesEnd() {
    char skipped[4096];
    while (Wait(POLLIN, kPatience)) {
      if (::recv(fd_.Get(), skipped, sizeof(skipped), 0) <= 0) return true;
    }
    return false;
  }

  bool HasInput(std::chrono::milliseconds patience) { return Wait(POLLIN, patience); }

  std::string Ask(std::string_view line) {
    return Send(line) ? Read(line.size()) : std::string("cannot send");
  }

  void FinishSending() { ::shutdown(fd_.Get(), SHUT_WR); }

  // Ends the connection with a reset instead of an orderly close.
  void Reset() {
    const linger at_once{1, 0};
    ::setsockopt(fd_.Get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    fd_.Close();
  }

  void Close() { fd_.Close(); }

 private:
  explicit TestClient(int family) : fd_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}

  void Connect(const sockaddr* address, socklen_t bytes) {
    is_connected_ = ::connect(fd_.Get(), address, bytes) == 0;
  }

  bool Wait(short events, std::chrono::milliseconds patience) {
    pollfd wanted{fd_.Get(), events, 0};
    return ::poll(&wanted, 1, static_cast<int>(patience.count())) == 1;
  }

  UniqueFd fd_;
  bool is_connected_ = false;
};

// Waits for something that another thread brings about. False: kPatience is over.
template <typename Condition>
bool Eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace larder::server
