// server/net/arrival.h - a client on its way from the acceptor to a worker.
//
// Owner    whoever has it owns the socket.
// Not here who sends it where: front_end.h
#pragma once

#include "server/net/socket_address.h"
#include "server/net/stream_handler.h"
#include "server/os/unique_fd.h"

namespace larder::server {

struct Arrival {
  UniqueFd socket;  // non-blocking
  SocketAddress peer;
  Binding protocols = Binding::kAuto;  // of the listener it came through
};

}  // namespace larder::server
