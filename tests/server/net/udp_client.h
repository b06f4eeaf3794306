// tests/server/net/udp_client.h - sends datagrams on loopback and collects what they draw.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/os/unique_fd.h"
#include "tests/server/net/test_client.h"

namespace larder::server {

struct Datagram {
  uint16_t request_id = 0;
  uint16_t sequence = 0;
  uint16_t total = 0;
  uint16_t reserved = 0;
  std::string payload;
};

class UdpClient {
 public:
  explicit UdpClient(uint16_t port) : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_open_ = ::connect(fd_.Get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    // Room for the answers to one request, if the system grants it.
    const int bytes = 4 * 1024 * 1024;
    ::setsockopt(fd_.Get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
  }

  [[nodiscard]] bool IsOpen() const { return is_open_; }

  void SendRaw(std::string_view datagram) {
    [[maybe_unused]] const ssize_t sent =
        ::send(fd_.Get(), datagram.data(), datagram.size(), MSG_NOSIGNAL);
  }
  void Send(uint16_t request_id, std::string_view payload, uint16_t total = 1) {
    std::string datagram;
    for (const uint16_t number : {request_id, uint16_t{0}, total, uint16_t{0}}) {
      datagram += static_cast<char>(number >> 8);
      datagram += static_cast<char>(number & 0xff);
    }
    SendRaw(datagram + std::string(payload));
  }

  // False: nothing came.
  bool Receive(Datagram* datagram, std::chrono::milliseconds patience = kPatience) {
    pollfd wanted{fd_.Get(), POLLIN, 0};
    if (::poll(&wanted, 1, static_cast<int>(patience.count())) != 1) return false;
    std::array<char, 65536> bytes;
    const ssize_t count = ::recv(fd_.Get(), bytes.data(), bytes.size(), 0);
    if (count < 8) return false;
    const auto number = [&](size_t at) {
      return static_cast<uint16_t>(static_cast<uint8_t>(bytes[at]) << 8 |
                                   static_cast<uint8_t>(bytes[at + 1]));
    };
    *datagram = {number(0), number(2), number(4), number(6),
                 std::string(bytes.data() + 8, static_cast<size_t>(count) - 8)};
    return true;
  }

  // All datagrams that came before the answer to a last request, which is sent now: what it does
  // not find has not been sent, since one socket's datagrams are served in order.
  std::vector<Datagram> DrawnSoFar(std::string_view last_request) {
    constexpr uint16_t kLastId = 0xffff;
    Send(kLastId, last_request);
    std::vector<Datagram> drawn;
    Datagram datagram;
    while (Receive(&datagram) && datagram.request_id != kLastId) drawn.push_back(datagram);
    is_answered_ = datagram.request_id == kLastId;
    return drawn;
  }
  [[nodiscard]] bool IsAnswered() const { return is_answered_; }

 private:
  UniqueFd fd_;
  bool is_open_ = false;
  bool is_answered_ = false;
};

}  // namespace larder::server
