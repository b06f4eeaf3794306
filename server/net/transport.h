// server/net/transport.h - how a connection's bytes travel: a plain socket now, TLS as a second
// implementation beside it. Nothing above knows which.
//
// Owner    a transport owns its socket and closes it.
// Threads  its worker's thread only.
// Errors   values. A signal in between is retried inside; SIGPIPE is never raised.
// Not here when to read and write: connection.h
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "server/net/socket_address.h"
#include "server/os/unique_fd.h"

namespace larder::server {

struct IoResult {
  enum class Status : uint8_t {
    kDone,        // `bytes` were moved, maybe fewer than were offered
    kWouldBlock,  // nothing was moved; wait for the next event
    kEnd,         // the peer sends no more
    kBroken,      // neither direction works any more
  };
  Status status = Status::kDone;
  size_t bytes = 0;
};

// What is known of the other side without reading.
enum class PeerState : uint8_t {
  kOpen,
  kFinished,  // sends no more; it may still take what we send, or be gone: TCP does not tell
  kGone,      // neither direction works any more
};

class Transport {
 public:
  virtual ~Transport() = default;
  // REQUIRES: 1 <= pieces.size() <= IOV_MAX, together not empty
  [[nodiscard]] virtual IoResult Receive(std::span<const iovec> pieces) = 0;
  [[nodiscard]] virtual IoResult Send(std::span<const iovec> pieces) = 0;
  [[nodiscard]] virtual PeerState Peer() const = 0;
  [[nodiscard]] virtual SocketAddress PeerAddress() const = 0;
  // What to watch for events.
  [[nodiscard]] virtual int Fd() const = 0;
};

// `socket` must be non-blocking.
[[nodiscard]] std::unique_ptr<Transport> MakeSocketTransport(UniqueFd socket,
                                                             const SocketAddress& peer);

}  // namespace larder::server
