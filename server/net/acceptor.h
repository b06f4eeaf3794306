// server/net/acceptor.h - accepts clients and deals them out, on a thread of its own.
//
// Above the limit a client is told so and disconnected at once, as memcached does by default
// (maxconns_fast). When the system has no file left for a client, accepting pauses for a moment:
// the clients wait in the socket's backlog, and the thread does not spin on the error.
//
// Owner    owns the listening sockets.
// Threads  Start and Stop on the owner's thread; `deal` is called on the acceptor's.
// Errors   Create returns null when the system gives no event loop.
// Not here opening the sockets: listener.h; which worker gets a client: front_end.h
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "server/net/event_loop.h"
#include "server/net/listener.h"
#include "server/net/net_counters.h"
#include "server/os/log.h"

namespace larder::server {

class Acceptor {
 public:
  using Deal = std::function<void(UniqueFd)>;

  // `client_count` grows by one for each client dealt; its limit is `clients_max`.
  [[nodiscard]] static std::unique_ptr<Acceptor> Create(std::vector<ListenSocket> sockets,
                                                        uint64_t clients_max,
                                                        ClientCount& client_count, Log& log,
                                                        Deal deal);
  ~Acceptor();

  void Start();
  // For good: the listeners are closed.
  void Stop();
  [[nodiscard]] const AcceptorCounters& Counters() const { return counters_; }
  [[nodiscard]] const std::vector<ListenSocket>& Sockets() const { return sockets_; }

 private:
  Acceptor(std::vector<ListenSocket> sockets, uint64_t clients_max, ClientCount& client_count,
           Log& log, Deal deal)
      : sockets_(std::move(sockets)),
        clients_max_(clients_max),
        client_count_(client_count),
        log_(log),
        deal_(std::move(deal)) {}

  [[nodiscard]] bool MakeEvents();
  void AcceptFrom(int listen_fd);
  void Admit(UniqueFd socket);
  void Reject(const UniqueFd& socket);
  void Pause(int error_number);
  void Unpause();

  std::vector<ListenSocket> sockets_;
  const uint64_t clients_max_;
  ClientCount& client_count_;
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
