// server/net/front_end.h - the whole of the network side: listeners, acceptor, workers.
//
// Owner    owns all of them; the services and handlers made by `make_service` too.
// Threads  Create, Start and Stop on one thread; Totals, Timing and DescribeConnections from any,
//          between Create and the destructor.
// Errors   Create returns null and says why in `error`.
// Not here what is said on a connection: stream_handler.h, and server/commands/ behind it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/net/acceptor.h"
#include "server/net/listen_address.h"
#include "server/net/placement.h"
#include "server/net/worker.h"

namespace larder::server {

struct FrontEndConfig {
  std::vector<ListenAddress> tcp_addresses;
  std::vector<ListenAddress> udp_addresses;
  std::string unix_path;  // empty: no unix socket
  mode_t unix_mode = 0700;
  Binding unix_protocols = Binding::kAuto;
  int backlog = 1024;
  uint32_t worker_count = 4;
  uint64_t clients_max = 1024;
  bool maxconns_fast = true;  // a client above clients_max is told so; false: it waits
  uint32_t requests_per_turn_max = 20;
  uint32_t idle_timeout_s = 0;             // 0: none; see ConnectionLimits
  uint32_t stall_timeout_s = 30;           // see ConnectionLimits
  uint64_t buffer_bytes_max = 0;           // of all connections together; 0: no bound
  ConnectionObserver* observer = nullptr;  // may be null; must outlive the front end
};

// Sums over all workers and the acceptor since the start; names as in net_counters.h.
struct FrontEndTotals {
  uint64_t clients = 0;
  uint64_t listeners = 0;
  uint64_t udp_sockets = 0;
  uint64_t accepted = 0;
  uint64_t rejected = 0;
  uint64_t pauses = 0;
  uint64_t paused_us = 0;
  bool is_paused = false;
  uint64_t bytes_read = 0;
  uint64_t bytes_written = 0;
  uint64_t yields = 0;
  uint64_t idle_kicks = 0;
  uint64_t stall_kicks = 0;
  uint64_t input_refusals = 0;
  uint64_t reply_refusals = 0;
  uint64_t held_input_count = 0;
  uint64_t held_input_bytes = 0;
  uint64_t held_replies_count = 0;
  uint64_t held_replies_bytes = 0;
};

// Of all workers together; see turn_clock.h.
struct FrontEndTiming {
  LatencyHistogram requests;
  LatencyHistogram turns;
};

class FrontEnd {
 public:
  using MakeService = std::function<std::unique_ptr<WorkerService>()>;

  // How many files the process may have to open: those of all clients, for each thread an epoll set
  // and what wakes it, every listener, and what a process has open anyway.
  [[nodiscard]] static uint64_t FdCount(const FrontEndConfig& config);

  // Opens the listeners; clients wait in their backlog until Start.
  [[nodiscard]] static std::unique_ptr<FrontEnd> Create(const FrontEndConfig& config,
                                                        const MakeService& make_service, Log& log,
                                                        std::string* error);
  ~FrontEnd();

  // `on_worker_start`, if any, is the first thing that each worker's thread does.
  void Start(const std::function<void()>& on_worker_start = {});
  // Stops accepting, closes every connection, joins all threads.
  void Stop();

  [[nodiscard]] FrontEndTotals Totals() const;
  // Since the start.
  [[nodiscard]] FrontEndTiming Timing() const;
  [[nodiscard]] const std::vector<ListenSocket>& Listeners() const { return acceptor_->Sockets(); }
  // A UDP address has one socket for each worker; this is the port of each address, once.
  struct UdpPort {
    int family = 0;
    uint16_t port = 0;
  };
  [[nodiscard]] const std::vector<UdpPort>& UdpPorts() const { return udp_ports_; }

  // Gathers what is known of every listener, UDP socket and connection without stopping anybody:
  // each worker adds its own between two events, and the last of them calls `done`. Never called
  // if the front end stops first.
  void DescribeConnections(TakeConnectionFacts done);

 private:
  explicit FrontEnd(size_t worker_count) : placement_(worker_count) {}
  [[nodiscard]] std::string OpenListeners(const FrontEndConfig& config,
                                          std::vector<ListenSocket>* listeners) const;
  [[nodiscard]] bool MakeWorkers(const FrontEndConfig& config, const MakeService& make_service,
                                 Log& log);
  [[nodiscard]] std::string ServeUdp(const FrontEndConfig& config);
  void DescribeListeners();
  void Gather();

  Placement placement_;
  std::mutex askers_mutex_;
  std::vector<TakeConnectionFacts> askers_;  // guarded by askers_mutex_; for the next look
  bool is_gathering_ = false;                // guarded by askers_mutex_
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Acceptor> acceptor_;
  std::vector<UdpPort> udp_ports_;
  size_t udp_socket_count_ = 0;
  // The listeners never change; what changes, their age, is added when somebody asks.
  std::vector<ConnectionFacts> listener_facts_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace larder::server
