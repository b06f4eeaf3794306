// server/net/front_end.h - the whole of the network side: listeners, acceptor, workers.
//
// Owner    owns all of them; the services and handlers made by `make_service` too.
// Threads  Create, Start and Stop on one thread; Totals from any.
// Errors   Create returns null and says why in `error`.
// Not here what is said on a connection: stream_handler.h, and server/commands/ behind it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/net/acceptor.h"
#include "server/net/listen_address.h"
#include "server/net/worker.h"

namespace larder::server {

struct FrontEndConfig {
  std::vector<ListenAddress> tcp_addresses;
  std::string unix_path;  // empty: no unix socket
  mode_t unix_mode = 0700;
  int backlog = 1024;
  uint32_t worker_count = 4;
  uint64_t clients_max = 1024;
  uint32_t requests_per_turn_max = 20;
};

// Sums over all workers and the acceptor since the start; names as in net_counters.h.
struct FrontEndTotals {
  uint64_t clients = 0;
  uint64_t listeners = 0;
  uint64_t accepted = 0;
  uint64_t rejected = 0;
  uint64_t pauses = 0;
  uint64_t paused_us = 0;
  bool is_paused = false;
  uint64_t bytes_read = 0;
  uint64_t bytes_written = 0;
  uint64_t yields = 0;
  uint64_t held_input_count = 0;
  uint64_t held_input_bytes = 0;
  uint64_t held_replies_count = 0;
  uint64_t held_replies_bytes = 0;
};

class FrontEnd {
 public:
  using MakeService = std::function<std::unique_ptr<WorkerService>()>;

  // Files the front end itself needs beside those of its clients: for each thread an epoll set and
  // what wakes it, the listeners, and what the process has open anyway.
  [[nodiscard]] static uint64_t OwnFdCount(uint32_t worker_count) {
    return kFdsPerThread * (worker_count + 1) + kSpareFds;
  }

  // Opens the listeners; clients wait in their backlog until Start.
  [[nodiscard]] static std::unique_ptr<FrontEnd> Create(const FrontEndConfig& config,
                                                        const MakeService& make_service, Log& log,
                                                        std::string* error);
  ~FrontEnd();

  void Start();
  // Stops accepting, closes every connection, joins all threads.
  void Stop();

  [[nodiscard]] FrontEndTotals Totals() const;
  [[nodiscard]] const std::vector<ListenSocket>& Listeners() const { return acceptor_->Sockets(); }

 private:
  static constexpr uint64_t kFdsPerThread = 3;
  static constexpr uint64_t kSpareFds = 32;

  FrontEnd() = default;
  void DealRoundRobin(UniqueFd socket);

  ClientCount client_count_{0};
  std::vector<std::unique_ptr<Worker>> workers_;
  size_t next_worker_ = 0;  // the acceptor's thread only
  std::unique_ptr<Acceptor> acceptor_;
};

}  // namespace larder::server
