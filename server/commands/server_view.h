// server/commands/server_view.h - what commands may ask of, and tell, the process they run in.
//
// Threads  any worker thread; implementations synchronise themselves.
// Not here the cache (slab/cache.h), the settings (server/settings.h).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "server/net/connection_facts.h"

namespace larder::server {

struct LiveSettings;  // server/live_settings.h

// Figures of the front end; names are memcached's keys in `stats`.
struct NetStats {
  uint64_t curr_connections = 0;  // listening sockets included, minus one, as memcached counts
  uint64_t total_connections = 0;
  uint64_t rejected_connections = 0;
  uint64_t connection_structures = 0;
  uint64_t bytes_read = 0;
  uint64_t bytes_written = 0;
  uint64_t conn_yields = 0;
  uint64_t listen_disabled_num = 0;
  uint64_t time_in_listen_disabled_us = 0;
  bool accepting_conns = true;
  uint64_t idle_kicks = 0;
  uint64_t response_obj_oom = 0;
  uint64_t read_buf_oom = 0;
  uint64_t reply_buffer_bytes = 0;  // held by connections for replies not yet taken
  uint64_t reply_buffer_count = 0;  // connections that hold one
  uint64_t read_buffer_bytes = 0;   // shared buffers of workers and parts of requests held
  uint64_t read_buffer_count = 0;
};

// How long the front end took: a request's service, and a turn of a worker's loop, in which a
// request that arrives may have to wait for all others. Nanoseconds, each at most 1.6 % too large.
struct LatencyStats {
  struct Distribution {
    uint64_t count = 0;
    uint64_t p50_ns = 0;
    uint64_t p99_ns = 0;
    uint64_t p999_ns = 0;
    uint64_t max_ns = 0;
  };
  Distribution requests;
  Distribution turns;
};

struct ProcessStats {
  int64_t pid = 0;
  int64_t unix_time_s = 0;
  uint64_t user_us = 0;
  uint64_t system_us = 0;
  std::string libevent_version;
};

class ServerView {
 public:
  virtual ~ServerView() = default;
  [[nodiscard]] virtual NetStats Net() const = 0;
  [[nodiscard]] virtual ProcessStats Process() const = 0;
  [[nodiscard]] virtual LatencyStats Latency() const = 0;
  // Starts the counters of Net() and Latency() again from zero; current figures stay.
  virtual void ResetNetStats() = 0;
  // `stats settings`: calls `emit(key, value)` for each reported setting, in memcached's order.
  virtual void ForEachSetting(
      const std::function<void(std::string_view key, std::string_view value)>& emit) const = 0;
  // `stats conns`: `take` is called later, on some worker's thread, unless the server stops first.
  virtual void DescribeConnections(TakeConnectionFacts take) = 0;
  // What commands may change while the server runs, and what they find there.
  [[nodiscard]] virtual LiveSettings& Live() = 0;
  // Ends the process soon, as a signal would: SIGUSR1 when graceful, else SIGINT.
  virtual void Shutdown(bool graceful) = 0;
  // Of Larder itself; clients are told another (protocol/wire_strings.h).
  [[nodiscard]] virtual std::string Version() const = 0;
  // 0..2, as `-v` on the command line; effective at once.
  virtual void SetVerbosity(uint32_t level) = 0;
  // Under -v: one line on stderr for the operator; nothing below that level.
  virtual void Log(uint32_t level, std::string_view line) = 0;
};

}  // namespace larder::server
