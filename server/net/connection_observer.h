// server/net/connection_observer.h - who wants to hear of connections that open and close.
//
// Owner    whoever made it; outlives the front end.
// Threads  SetWatched and IsWatched from any. OnOpen and OnClose are called by workers, several at
// a
//          time, within a turn; they must not wait.
// Not here what is made of it: server/observe/
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace larder::server {

enum class Carrier : uint8_t { kTcp, kUnix, kUdp };

enum class CloseReason : uint8_t {
  kNormal,       // the client left, or its conversation was over
  kError,        // the stream broke or made no sense, or the client took no replies
  kIdleTimeout,  // it was idle for too long
  kShutdown,     // the server stops, or this is the client who has ended it
};

// One end of a connection: the client's.
struct RemoteEnd {
  int fd = -1;  // of our socket
  Carrier carrier = Carrier::kTcp;
  std::string address;  // a number; empty for unix sockets
  uint16_t port = 0;
};

class ConnectionObserver {
 public:
  virtual ~ConnectionObserver() = default;

  // Relaxed: who begins to watch may miss what happens at the same moment.
  [[nodiscard]] bool IsWatched() const { return is_watched_.load(std::memory_order_relaxed); }
  void SetWatched(bool is_watched) { is_watched_.store(is_watched, std::memory_order_relaxed); }

  // Called only while IsWatched().
  virtual void OnOpen(const RemoteEnd& remote) = 0;
  virtual void OnClose(const RemoteEnd& remote, CloseReason reason) = 0;

 private:
  std::atomic<bool> is_watched_{false};
};

}  // namespace larder::server
