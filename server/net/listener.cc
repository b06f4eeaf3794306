#include "server/net/listener.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <utility>

namespace larder::server {
namespace {

constexpr int kSocketFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;

// What the answers to one large request may take in the socket; the system may grant less.
constexpr int kUdpSendBufferBytes = 4 * 1024 * 1024;

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, FreeAddresses>;

// One number and port to bind.
struct Endpoint {
  sockaddr_storage address{};
  socklen_t address_bytes = 0;

  [[nodiscard]] int Family() const { return address.ss_family; }
  // The same word in both families, at the same place.
  [[nodiscard]] uint16_t Port() const {
    return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
  }
  void SetPort(uint16_t port) { reinterpret_cast<sockaddr_in*>(&address)->sin_port = htons(port); }
  bool operator==(const Endpoint& other) const {
    return address_bytes == other.address_bytes &&
           std::memcmp(&address, &other.address, address_bytes) == 0;
  }
};
static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));

struct Numbers {
  std::vector<Endpoint> endpoints;
  std::string error;
};

Numbers LookUp(const ListenAddress& wanted, int socket_type) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE;
  hints.ai_socktype = socket_type;
  addrinfo* found = nullptr;
  const char* const host = wanted.host.empty() ? nullptr : wanted.host.c_str();
  const int failure = ::getaddrinfo(host, std::to_string(wanted.port).c_str(), &hints, &found);
  if (failure != 0) return {{}, fmt::format("{}: {}", wanted.host, ::gai_strerror(failure))};
  const AddressList list(found);
  Numbers numbers;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    Endpoint endpoint;
    std::memcpy(&endpoint.address, entry->ai_addr, entry->ai_addrlen);
    endpoint.address_bytes = entry->ai_addrlen;
    numbers.endpoints.push_back(endpoint);
  }
  return numbers;
}

void SetOption(int fd, int level, int option) {
  const int on = 1;
  ::setsockopt(fd, level, option, &on, sizeof(on));
}

// Accepted sockets inherit these options, which saves two system calls for each client.
void SetTcpOptions(int fd, int family) {
  SetOption(fd, SOL_SOCKET, SO_REUSEADDR);
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE);
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY);
  // 0.0.0.0 and :: are two listeners here, so the second must not claim the first's addresses.
  if (family == AF_INET6) SetOption(fd, IPPROTO_IPV6, IPV6_V6ONLY);
}

uint16_t BoundPort(int fd) {
  Endpoint bound;
  bound.address_bytes = sizeof(bound.address);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound.address), &bound.address_bytes) != 0) {
    return 0;
  }
  return bound.Port();
}

struct Bound {
  std::vector<ListenSocket> sockets;
  int error_number = 0;
};

using BindFn = std::function<Bound(const Endpoint& endpoint)>;

int BindTo(const UniqueFd& fd, const Endpoint& endpoint) {
  const auto* address = reinterpret_cast<const sockaddr*>(&endpoint.address);
  return ::bind(fd.Get(), address, endpoint.address_bytes);
}

Bound BindTcp(const Endpoint& endpoint, int backlog) {
  Bound bound;
  const int family = endpoint.Family();
  UniqueFd fd(::socket(family, SOCK_STREAM | kSocketFlags, 0));
  if (fd) SetTcpOptions(fd.Get(), family);
  if (!fd || BindTo(fd, endpoint) != 0 || ::listen(fd.Get(), backlog) != 0) {
    bound.error_number = errno;
    return bound;
  }
  const uint16_t port = BoundPort(fd.Get());
  bound.sockets.push_back({std::move(fd), family, port, Binding::kAuto});
  return bound;
}

// The first of a group takes the address for itself, so that a port in use is an error; then it
// lets the others join, which only processes of the same user may.
Bound BindUdpGroup(Endpoint endpoint, size_t group_size) {
  Bound bound;
  const int family = endpoint.Family();
  for (size_t i = 0; i < group_size; ++i) {
    UniqueFd fd(::socket(family, SOCK_DGRAM | kSocketFlags, 0));
    if (fd && family == AF_INET6) SetOption(fd.Get(), IPPROTO_IPV6, IPV6_V6ONLY);
    if (fd && i > 0) SetOption(fd.Get(), SOL_SOCKET, SO_REUSEPORT);
    if (!fd || BindTo(fd, endpoint) != 0) {
      bound.error_number = errno;
      return bound;
    }
    if (i == 0) SetOption(fd.Get(), SOL_SOCKET, SO_REUSEPORT);
    ::setsockopt(fd.Get(), SOL_SOCKET, SO_SNDBUF, &kUdpSendBufferBytes,
                 sizeof(kUdpSendBufferBytes));
    endpoint.SetPort(BoundPort(fd.Get()));
    bound.sockets.push_back({std::move(fd), family, endpoint.Port(), Binding::kAuto});
  }
  return bound;
}

// With a free port: tries the one that the socket before got, so that clients find one port.
Bound BindNear(const Endpoint& endpoint, uint16_t preferred_port, const BindFn& bind) {
  if (endpoint.Port() == 0 && preferred_port != 0) {
    Endpoint same_port = endpoint;
    same_port.SetPort(preferred_port);
    Bound bound = bind(same_port);
    if (bound.error_number != EADDRINUSE) return bound;
  }
  return bind(endpoint);
}

bool IsNotOfThisMachine(int error_number) {
  return error_number == EAFNOSUPPORT || error_number == EADDRNOTAVAIL;
}

// Opens one address after the other, and remembers what was opened.
class Opener {
 public:
  Opener(int socket_type, BindFn bind) : socket_type_(socket_type), bind_(std::move(bind)) {}

  // The text says what went wrong.
  std::string Open(const ListenAddress& address) {
    const Numbers numbers = LookUp(address, socket_type_);
    if (!numbers.error.empty()) return address.is_optional ? std::string() : numbers.error;
    size_t bound_count = 0;
    int absent_error = 0;
    for (const Endpoint& endpoint : numbers.endpoints) {
      const int error_number = OpenOnce(endpoint, address.protocols);
      if (error_number == 0) {
        ++bound_count;
      } else if (IsNotOfThisMachine(error_number)) {
        absent_error = error_number;
      } else {
        return std::strerror(error_number);
      }
    }
    if (bound_count > 0 || address.is_optional) return {};
    return std::strerror(absent_error);
  }

  std::vector<ListenSocket> TakeSockets() { return std::move(sockets_); }

 private:
  int OpenOnce(const Endpoint& endpoint, Binding protocols) {
    if (std::find(opened_.begin(), opened_.end(), endpoint) != opened_.end()) return 0;
    Bound bound = BindNear(endpoint, picked_port_, bind_);
    if (bound.error_number != 0) return bound.error_number;
    if (endpoint.Port() == 0) picked_port_ = bound.sockets.front().port;
    opened_.push_back(endpoint);
    for (ListenSocket& socket : bound.sockets) {
      socket.protocols = protocols;
      sockets_.push_back(std::move(socket));
    }
    return 0;
  }

  const int socket_type_;
  const BindFn bind_;
  std::vector<Endpoint> opened_;
  std::vector<ListenSocket> sockets_;
  uint16_t picked_port_ = 0;
};

ListenResult OpenAll(const std::vector<ListenAddress>& addresses, Opener opener) {
  for (const ListenAddress& address : addresses) {
    std::string error = opener.Open(address);
    if (!error.empty()) return {{}, std::move(error)};
  }
  return {opener.TakeSockets(), {}};
}

}  // namespace

ListenResult OpenTcpListeners(const std::vector<ListenAddress>& addresses, int backlog) {
  return OpenAll(addresses, Opener(SOCK_STREAM, [backlog](const Endpoint& endpoint) {
                   return BindTcp(endpoint, backlog);
                 }));
}

ListenResult OpenUdpSockets(const std::vector<ListenAddress>& addresses, size_t group_size) {
  return OpenAll(addresses, Opener(SOCK_DGRAM, [group_size](const Endpoint& endpoint) {
                   return BindUdpGroup(endpoint, group_size);
                 }));
}

ListenResult OpenUnixListener(const std::string& path, mode_t mode, int backlog,
                              Binding protocols) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) return {{}, "Path is too long"};
  std::memcpy(address.sun_path, path.data(), path.size());

  struct stat existing {};
  if (::lstat(path.c_str(), &existing) == 0 && S_ISSOCK(existing.st_mode)) ::unlink(path.c_str());

  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | kSocketFlags, 0));
  if (!fd) return {{}, std::strerror(errno)};
  // The mode of the socket before it is bound is the most that the file gets, so at no moment may
  // anybody connect who should not; afterwards chmod grants what the umask held back.
  const bool is_open =
      ::fchmod(fd.Get(), mode) == 0 &&
      ::bind(fd.Get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      ::chmod(path.c_str(), mode) == 0 && ::listen(fd.Get(), backlog) == 0;
  if (!is_open) return {{}, std::strerror(errno)};
  ListenResult result;
  result.sockets.push_back({std::move(fd), AF_UNIX, 0, protocols});
  return result;
}

}  // namespace larder::server
