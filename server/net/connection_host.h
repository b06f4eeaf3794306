// server/net/connection_host.h - what all connections of one worker use, one after the other, and
// what bounds them.
//
// Units    seconds of a clock that only goes forward and is read once a turn; bytes.
// Owner    the worker is one; outlives its connections.
// Threads  the worker's own; Counters and Timing may be read from any.
// Not here the worker itself: worker.h
#pragma once

#include <event2/event.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "server/net/connection_waker.h"
#include "server/net/look_ahead.h"
#include "server/net/net_counters.h"
#include "server/net/reply_queue.h"
#include "server/net/turn_clock.h"

namespace larder::server {

class Connection;
class UdpEndpoint;

struct ConnectionLimits {
  uint32_t requests_per_turn_max = 20;
  // A connection that waits for a request is closed when none came for longer. 0: never.
  uint32_t idle_timeout_s = 0;
  // A client that is fed by somebody else, by a dump or a watch, and takes nothing of what waits
  // for it is dropped after so long.
  uint32_t stall_timeout_s = 30;
  // What the connections of one worker may hold together, parts of requests and replies that wait;
  // one that needs more is closed. 0: no bound.
  uint64_t buffer_bytes_max = 0;
};

class ConnectionHost {
 public:
  explicit ConnectionHost(const ConnectionLimits& limits)
      : limits_(limits), replies_(counters_.held_replies) {}
  ConnectionHost(const ConnectionHost&) = delete;
  ConnectionHost& operator=(const ConnectionHost&) = delete;

  // What libevent calls with the Connection as its argument.
  [[nodiscard]] virtual event_callback_fn EventCallback() const = 0;
  // Puts the connection in line for a call of Resume.
  virtual void ResumeSoon(Connection& connection) = 0;
  [[nodiscard]] virtual std::shared_ptr<ConnectionWaker> MakeWaker(Connection& connection) = 0;
  // Has all connections inspected at `due_s` at the latest.
  virtual void InspectBy(uint32_t due_s) = 0;

  [[nodiscard]] const ConnectionLimits& Limits() const { return limits_; }
  [[nodiscard]] const WorkerCounters& Counters() const { return counters_; }
  [[nodiscard]] const TurnClock& Timing() const { return turn_clock_; }
  [[nodiscard]] uint32_t NowSeconds() const { return now_s_; }
  [[nodiscard]] bool BuffersAreFull() const {
    return limits_.buffer_bytes_max != 0 &&
           counters_.held_input.bytes.Get() + counters_.held_replies.bytes.Get() >
               limits_.buffer_bytes_max;
  }

 protected:
  ~ConnectionHost() = default;

  const ConnectionLimits limits_;
  WorkerCounters counters_;
  TurnClock turn_clock_;
  uint32_t now_s_ = 0;
  LookAhead ahead_;

 private:
  friend class Connection;
  friend class UdpEndpoint;
  ReplyQueue replies_;
};

}  // namespace larder::server
