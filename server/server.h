// server/server.h - a whole server: the cache, the time it keeps, the commands, the front end. The
// one place where all folders meet.
//
// Owner    owns everything it runs. Several servers in one process do not know of each other.
// Threads  Create, Start, Stop and the destructor on one thread; ServerView from any.
// Errors   a StartFailure: exit code and one line for the operator.
// Not here the process around it (user, signals, background): main.cc
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "server/commands/command_environment.h"
#include "server/commands/server_view.h"
#include "server/live_settings.h"
#include "server/net/front_end.h"
#include "server/observe/event_hub.h"
#include "server/os/background_thread.h"
#include "server/os/log.h"
#include "server/settings.h"
#include "server/ticker.h"
#include "slab/cache.h"
#include "slab/clock.h"

namespace larder::server {

class Server final : public ServerView {
 public:
  // What is wrong with these settings, as far as can be told without using them.
  [[nodiscard]] static std::optional<StartFailure> Check(const Settings& settings);
  // What a server with these settings does with its memory, for people.
  // REQUIRES: Check has found nothing wrong with them.
  [[nodiscard]] static std::string ExplainMemory(const Settings& settings);
  // How many files a server with these settings may have open.
  // REQUIRES: Check has found nothing wrong with them.
  [[nodiscard]] static uint64_t FdCount(const Settings& settings);
  // Builds everything and opens the listeners. Null: see `failure`.
  [[nodiscard]] static std::unique_ptr<Server> Create(const Settings& settings,
                                                      StartFailure* failure);
  ~Server() override;

  // Begins to serve.
  [[nodiscard]] std::optional<StartFailure> Start();
  void Stop();
  // Who carries out a client's `shutdown`: from any thread, and without waiting for the server's
  // own. REQUIRES: called before Start.
  void OnStopRequest(std::function<void(bool graceful)> stop) {
    on_stop_request_ = std::move(stop);
  }

  [[nodiscard]] const std::vector<ListenSocket>& Listeners() const {
    return front_end_->Listeners();
  }
  [[nodiscard]] const std::vector<FrontEnd::UdpPort>& UdpPorts() const {
    return front_end_->UdpPorts();
  }

  [[nodiscard]] NetStats Net() const override;
  [[nodiscard]] LatencyStats Latency() const override;
  [[nodiscard]] ProcessStats Process() const override;
  void ResetNetStats() override;
  void ForEachSetting(
      const std::function<void(std::string_view, std::string_view)>& emit) const override;
  [[nodiscard]] LiveSettings& Live() override { return live_; }
  void Shutdown(bool graceful) override {
    if (on_stop_request_) on_stop_request_(graceful);
  }
  void DescribeConnections(TakeConnectionFacts take) override;
  [[nodiscard]] std::string Version() const override;
  void SetVerbosity(uint32_t level) override { log_.SetLevel(level); }
  void Log(uint32_t level, std::string_view line) override { log_.Write(level, line); }

 private:
  explicit Server(const Settings& settings);
  [[nodiscard]] std::optional<StartFailure> BuildCache();
  [[nodiscard]] std::optional<StartFailure> BuildFrontEnd();
  void TellWhereItListens();
  void StartSweeping();

  // In the order in which they need each other; destroyed the other way round.
  const Settings settings_;
  LiveSettings live_;
  larder::server::Log log_;
  EventHub events_;
  Ticker ticker_;
  slab::Clock clock_;
  std::unique_ptr<slab::Cache> cache_;
  BackgroundThread room_thread_;
  BackgroundThread crawl_thread_;
  std::deque<BackgroundThread> sweep_threads_;
  std::unique_ptr<CommandEnvironment> commands_;
  std::unique_ptr<FrontEnd> front_end_;

  std::function<void(bool graceful)> on_stop_request_;

  mutable std::mutex reset_mutex_;
  FrontEndTotals at_reset_;         // guarded by reset_mutex_; counters start again from these
  FrontEndTiming timing_at_reset_;  // guarded by reset_mutex_
};

}  // namespace larder::server
