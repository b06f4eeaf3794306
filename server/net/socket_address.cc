#include "server/net/socket_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace larder::server {

SocketAddress SocketAddress::From(const sockaddr_storage& address) {
  SocketAddress result;
  std::memcpy(&result.v6_, &address, sizeof(result.v6_));
  return result;
}

socklen_t SocketAddress::Bytes() const {
  switch (Family()) {
    case AF_INET:
      return sizeof(sockaddr_in);
    case AF_INET6:
      return sizeof(sockaddr_in6);
    default:
      return sizeof(any_.sa_family);
  }
}

// Some systems give back less than a family for a peer without a name.
void SocketAddress::Trim(socklen_t bytes) {
  if (bytes < sizeof(any_.sa_family)) any_.sa_family = AF_UNSPEC;
}

uint16_t SocketAddress::Port() const {
  if (Family() == AF_INET) return ntohs(v4_.sin_port);
  if (Family() == AF_INET6) return ntohs(v6_.sin6_port);
  return 0;
}

std::string SocketAddress::Number() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* number = nullptr;
  if (Family() == AF_INET) number = &v4_.sin_addr;
  if (Family() == AF_INET6) number = &v6_.sin6_addr;
  if (number == nullptr) return {};
  return ::inet_ntop(Family(), number, text.data(), text.size());
}

std::string DescribeAddress(const SocketAddress& address, bool is_udp) {
  const std::string_view carrier = is_udp ? "udp" : "tcp";
  switch (address.Family()) {
    case AF_INET:
      return fmt::format("{}:{}:{}", carrier, address.Number(), address.Port());
    case AF_INET6:
      return fmt::format("{}6:[{}]:{}", carrier, address.Number(), address.Port());
    default:
      // memcached's words for a client of a unix socket, which has no name of its own.
      return "?:<AF 0>";
  }
}

std::string DescribeOwnAddress(int fd, bool is_udp) {
  sockaddr_storage own{};
  socklen_t bytes = sizeof(own);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &bytes) != 0) return {};
  if (own.ss_family == AF_UNIX) {
    const auto& named = reinterpret_cast<const sockaddr_un&>(own);
    const size_t path_bytes = bytes - offsetof(sockaddr_un, sun_path);
    return fmt::format("unix:{}",
                       std::string_view(named.sun_path, ::strnlen(named.sun_path, path_bytes)));
  }
  return DescribeAddress(SocketAddress::From(own), is_udp);
}

}  // namespace larder::server
