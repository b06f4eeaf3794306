// tests/fuzz/stand.h - a server's parts without its sockets: a cache, the commands of one worker,
// and any number of clients.
//
// Nothing in it depends on the time or on chance, so two stands that see the same requests answer
// the same, but for the times in what a watcher is told.
//
// Owner    the stand outlives its clients.
// Threads  one.
// Errors   aborts, as a fuzzer wants.
// Not here what is held against the answers: the fuzzers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "server/commands/command_environment.h"
#include "server/commands/command_service.h"
#include "server/commands/server_view.h"
#include "server/live_settings.h"
#include "server/net/stream_handler.h"
#include "server/observe/event_hub.h"
#include "server/settings.h"
#include "slab/cache.h"
#include "slab/clock.h"
#include "tests/support/fake_link.h"

namespace larder::fuzz {

// A process in which nothing ever happens, so that two of them report the same.
class StillServer final : public server::ServerView {
 public:
  [[nodiscard]] server::NetStats Net() const override { return {}; }
  [[nodiscard]] server::LatencyStats Latency() const override { return {}; }
  [[nodiscard]] server::ProcessStats Process() const override { return {}; }
  void ResetNetStats() override {}
  void ForEachSetting(
      const std::function<void(std::string_view, std::string_view)>& emit) const override {
    emit("maxbytes", "8388608");
  }
  void DescribeConnections(server::TakeConnectionFacts take) override {
    take(std::make_shared<const std::vector<server::ConnectionFacts>>());
  }
  [[nodiscard]] server::LiveSettings& Live() override { return live_; }
  void Shutdown(bool /*graceful*/) override {}
  [[nodiscard]] std::string Version() const override { return "0.0.0"; }
  void SetVerbosity(uint32_t /*level*/) override {}
  void Log(uint32_t /*level*/, std::string_view /*line*/) override {}

 private:
  server::LiveSettings live_{server::Settings{}};
};

class Stand {
 public:
  static constexpr uint64_t kLimitBytes = 8 * slab::kMiB;

  explicit Stand(uint64_t limit_bytes = kLimitBytes);
  Stand(const Stand&) = delete;
  Stand& operator=(const Stand&) = delete;

  void PassSeconds(uint32_t seconds);
  // What others than the clients do: the crawler, and who carries events to watchers.
  void WorkInBackground();

  [[nodiscard]] server::CommandService& Service() { return *service_; }

 private:
  static constexpr int kErrandStepsMax = 1000;

  slab::Clock clock_;
  server::EventHub events_{server::EventHubConfig{}};
  StillServer server_;
  std::unique_ptr<slab::Cache> cache_;
  std::unique_ptr<server::CommandEnvironment> environment_;
  std::unique_ptr<server::CommandService> service_;
};

// A connection: plays the front end's part towards its handler.
class Client {
 public:
  explicit Client(Stand& stand);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Sends `bytes` in pieces of at most `piece_bytes`, each carried out at most `requests_max`
  // requests at a time.
  void Say(std::string_view bytes, size_t piece_bytes, uint32_t requests_max,
           protocol::ReplySink& replies);
  [[nodiscard]] bool IsClosed() const { return is_closed_; }

 private:
  // What of `piece` does not go straight where the handler wants it.
  std::string_view GiveDirectly(std::string_view piece, protocol::ReplySink& replies);
  void Talk(uint32_t requests_max, protocol::ReplySink& replies);
  [[nodiscard]] bool IsWoken() const { return link_.waker->wake_count.load() != wakes_seen_; }

  Stand& stand_;
  server::FakeLink link_;
  std::unique_ptr<server::StreamHandler> handler_;
  std::string held_;
  bool is_closed_ = false;
  bool is_waiting_ = false;
  int wakes_seen_ = 0;
};

}  // namespace larder::fuzz
