#include "tests/bench/local_socket.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace larder::bench {

int ConnectLocally(uint16_t port, std::string* complaint) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || connect(fd, reinterpret_cast<const sockaddr*>(&address),
                        static_cast<socklen_t>(sizeof address)) != 0) {
    *complaint = fmt::format("cannot connect to 127.0.0.1:{}: {}", port, std::strerror(errno));
    if (fd >= 0) close(fd);
    return -1;
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, static_cast<socklen_t>(sizeof on));
  return fd;
}

}  // namespace larder::bench
