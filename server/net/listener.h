// server/net/listener.h - opens the sockets that clients connect or send to.
//
// Owner    the caller owns what is opened.
// Threads  any thread; a name is looked up, so a call may take as long as that does.
// Errors   a sentence for the operator; what was opened before it is closed again.
// Not here accepting: acceptor.h; what `-l` means: listen_address.h
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "server/net/listen_address.h"
#include "server/os/unique_fd.h"

namespace larder::server {

struct ListenSocket {
  UniqueFd fd;
  int family = 0;     // AF_INET, AF_INET6 or AF_UNIX
  uint16_t port = 0;  // the one the system picked, if that was asked for
  Binding protocols = Binding::kAuto;
};

struct ListenResult {
  std::vector<ListenSocket> sockets;
  std::string error;
};

// All numbers a name has are bound; the same number and port twice is bound once. Of a name's
// numbers, one that this machine does not have is skipped as long as another can be bound.
// Addresses that leave the port to the system get the same one, where it is free.
[[nodiscard]] ListenResult OpenTcpListeners(const std::vector<ListenAddress>& addresses,
                                            int backlog);

// UDP sockets for the same kind of addresses: `group_size` for each, among which the system spreads
// the clients, next to each other in the result.
[[nodiscard]] ListenResult OpenUdpSockets(const std::vector<ListenAddress>& addresses,
                                          size_t group_size);

// A socket file that was left behind is replaced; a file of another kind is not.
[[nodiscard]] ListenResult OpenUnixListener(const std::string& path, mode_t mode, int backlog,
                                            Binding protocols = Binding::kAuto);

}  // namespace larder::server
