// server/net/socket_address.h - where a socket's ends are, in few bytes and in words.
//
// Threads  plain values.
// Errors   an end that the system does not tell is of family AF_UNSPEC.
// Not here addresses to listen on: listen_address.h
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace larder::server {

// One end of a TCP or UDP conversation; of a unix socket it keeps the family only.
class SocketAddress {
 public:
  SocketAddress() : v6_{} {}
  explicit SocketAddress(const sockaddr_in& address) : v6_{} { v4_ = address; }
  [[nodiscard]] static SocketAddress From(const sockaddr_storage& address);

  // For accept and recvfrom: pass Data and kBytesMax, then Trim to the size that came back.
  [[nodiscard]] sockaddr* Data() { return &any_; }
  [[nodiscard]] const sockaddr* Data() const { return &any_; }
  [[nodiscard]] socklen_t Bytes() const;
  static constexpr socklen_t kBytesMax = sizeof(sockaddr_in6);
  void Trim(socklen_t bytes);

  [[nodiscard]] int Family() const { return any_.sa_family; }
  // REQUIRES: Family() == AF_INET
  [[nodiscard]] const sockaddr_in& V4() const { return v4_; }
  [[nodiscard]] uint16_t Port() const;
  // "127.0.0.1", "::1"; empty for other families.
  [[nodiscard]] std::string Number() const;

 private:
  union {
    sockaddr any_;
    sockaddr_in v4_;
    sockaddr_in6 v6_;
  };
};

// As `stats conns` has them: tcp:127.0.0.1:11211, udp6:[::1]:11211.
[[nodiscard]] std::string DescribeAddress(const SocketAddress& address, bool is_udp);
// The address that the socket is bound to; unix:/path, too.
[[nodiscard]] std::string DescribeOwnAddress(int fd, bool is_udp);

}  // namespace larder::server
