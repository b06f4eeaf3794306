// server/net/acceptor.h - accepts clients and deals them out, on a thread of its own.
//
// Above the limit a client is told so and disconnected at once, as memcached does by default
// (maxconns_fast), or accepting pauses until there is room. When the system has no file left for a
// client, accepting pauses, too, and looks again after a moment. The clients wait in the socket's
// backlog meanwhile, and the thread does not spin.
//
// Owner    owns the listening sockets.
// Threads  Start and Stop on the owner's thread; `deal` is called on the acceptor's. It is the only
//          one that waits on the listening sockets, so a client that comes wakes one thread.
// Errors   Create returns null when the system gives no event loop.
// Not here opening the sockets: listener.h; which worker gets a client: placement.h
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "server/net/arrival.h"
#include "server/net/event_loop.h"
#include "server/net/listener.h"
#include "server/net/net_counters.h"
#include "server/net/placement.h"
#include "server/os/log.h"

namespace larder::server {

struct AcceptLimits {
  uint64_t clients_max = 1024;
  bool rejects_above = true;  // false: accepting pauses
  int backlog = 1024;         // of the sockets, while accepting does not pause
};

class Acceptor {
 public:
  // Hands the client to the worker of that number.
  using Deal = std::function<void(size_t worker, Arrival)>;

  [[nodiscard]] static std::unique_ptr<Acceptor> Create(std::vector<ListenSocket> sockets,
                                                        const AcceptLimits& limits,
                                                        Placement& placement, Log& log, Deal deal);
  ~Acceptor();

  void Start();
  // For good: the listeners are closed.
  void Stop();
  [[nodiscard]] const AcceptorCounters& Counters() const { return counters_; }
  [[nodiscard]] const std::vector<ListenSocket>& Sockets() const { return sockets_; }

 private:
  Acceptor(std::vector<ListenSocket> sockets, const AcceptLimits& limits, Placement& placement,
           Log& log, Deal deal)
      : sockets_(std::move(sockets)),
        limits_(limits),
        placement_(placement),
        log_(log),
        deal_(std::move(deal)) {}

  [[nodiscard]] bool MakeEvents();
  void AcceptFrom(int listen_fd);
  void Admit(Arrival arrival);
  void Reject(const UniqueFd& socket);
  [[nodiscard]] bool IsFull() const;
  void Pause(std::string_view why);
  void Unpause();
  [[nodiscard]] Binding ProtocolsOf(int listen_fd) const;

  std::vector<ListenSocket> sockets_;
  const AcceptLimits limits_;
  Placement& placement_;
  Log& log_;
  const Deal deal_;
  AcceptorCounters counters_;
  std::chrono::steady_clock::time_point paused_since_;
  std::atomic<bool> is_stopping_{false};
  std::unique_ptr<EventLoop> loop_;
  std::vector<EventPtr> listen_events_;
  EventPtr pause_timer_;
  std::thread thread_;
};

}  // namespace larder::server
