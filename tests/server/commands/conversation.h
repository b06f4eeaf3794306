// tests/server/commands/conversation.h - a client, a session and a cache behind it, in one object.
//
// Plays the connection's part of StreamHandler: keeps the bytes that were not consumed, calls
// again after kYield and kBlocked, takes large values by DirectInput. What others do for a client
// that awaits its answer is done here, step by step, until nobody has anything more to say.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "server/commands/command_service.h"
#include "server/commands/server_view.h"
#include "server/live_settings.h"
#include "server/observe/event_hub.h"
#include "server/settings.h"
#include "slab/cache.h"
#include "tests/protocol/string_sink.h"
#include "tests/support/fake_link.h"

namespace larder::server {

class FakeServerView final : public ServerView {
 public:
  [[nodiscard]] NetStats Net() const override { return net; }
  [[nodiscard]] LatencyStats Latency() const override { return latency; }
  [[nodiscard]] ProcessStats Process() const override { return process; }
  void ResetNetStats() override { ++reset_count; }
  void ForEachSetting(
      const std::function<void(std::string_view, std::string_view)>& emit) const override {
    emit("maxbytes", "67108864");
    emit("evictions", "on");
  }
  void DescribeConnections(TakeConnectionFacts take) override {
    take(std::make_shared<const std::vector<ConnectionFacts>>(connections));
  }
  [[nodiscard]] LiveSettings& Live() override { return live; }
  void Shutdown(bool graceful) override { (graceful ? graceful_stop_count : stop_count) += 1; }
  [[nodiscard]] std::string Version() const override { return "0.0.1"; }
  void SetVerbosity(uint32_t level) override { verbosity = level; }
  void Log(uint32_t, std::string_view line) override { logged = line; }

  LiveSettings live{Settings{}};
  std::vector<ConnectionFacts> connections;
  int stop_count = 0;
  int graceful_stop_count = 0;
  std::string logged;

  NetStats net;
  LatencyStats latency;
  ProcessStats process;
  uint32_t verbosity = 0;
  int reset_count = 0;
};

class Conversation {
 public:
  static constexpr int64_t kStartUnixSeconds = 1'700'000'000;
  static constexpr uint32_t kRequestsPerTurn = 20;
  static constexpr int kErrandStepsMax = 10'000;

  explicit Conversation(const CommandOptions& options = {}, const slab::CacheConfig& config = {})
      : clock(kStartUnixSeconds), cache(MakeCache(config, options)) {
    environment = std::make_unique<CommandEnvironment>(*cache, clock, server, options, &events);
    service = std::make_unique<CommandService>(*environment);
    handler = service->MakeHandler(link);
  }
  ~Conversation() {
    service->OnTurnStart();
    handler.reset();
    service->OnTurnEnd();
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // Sends `bytes`; returns all that is answered until the session waits for more.
  std::string Say(std::string_view bytes) {
    std::string answer;
    service->OnTurnStart();
    while (!bytes.empty() && !is_closed) {
      bytes.remove_prefix(TakeDirectly(bytes));
      unread.append(bytes);
      bytes = {};
      if (const uint64_t foreseen = handler->LookAhead(unread)) handler->LookCloser(foreseen);
      answer += Talk();
    }
    service->OnTurnEnd();
    return answer;
  }

  // The same, `piece_bytes` at a time, each in a turn of its own.
  std::string SayInPieces(std::string_view bytes, size_t piece_bytes) {
    std::string answer;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece_bytes, bytes.size()))) {
      answer += Say(bytes.substr(0, piece_bytes));
    }
    return answer;
  }

  // A second client of the same worker.
  void Reconnect() {
    service->OnTurnStart();
    handler = service->MakeHandler(link);
    service->OnTurnEnd();
    unread.clear();
    is_closed = false;
  }

  void PassSeconds(uint32_t seconds) {
    for (uint32_t i = 0; i < seconds; ++i) {
      const uint32_t now_s = clock.NowSeconds() + 1;
      cache->Maintain(now_s);
      clock.Set(now_s);
    }
  }

  // What plain `stats` says, or a group of it.
  std::map<std::string, std::string> Stats(const std::string& group = "") {
    std::map<std::string, std::string> stats;
    std::string_view text = "";
    const std::string answer = Say("stats" + (group.empty() ? "" : " " + group) + "\r\n");
    for (text = answer; text.starts_with("STAT "); text.remove_prefix(text.find('\n') + 1)) {
      const std::string_view line = text.substr(5, text.find("\r\n") - 5);
      const size_t space = line.find(' ');
      stats[std::string(line.substr(0, space))] = line.substr(space + 1);
    }
    CHECK(text == "END\r\n");
    return stats;
  }

  FakeLink link;
  slab::Clock clock;
  EventHub events{EventHubConfig{}};
  FakeServerView server;
  std::unique_ptr<slab::Cache> cache;
  std::unique_ptr<CommandEnvironment> environment;
  std::unique_ptr<CommandService> service;
  std::unique_ptr<StreamHandler> handler;
  protocol::StringSink replies;
  std::string unread;
  bool is_closed = false;
  int yield_count = 0;
  int block_count = 0;
  uint64_t request_count = 0;  // of those that ended, as the steps tell it
  size_t direct_bytes = 0;
  size_t loan_count = 0;

 private:
  std::unique_ptr<slab::Cache> MakeCache(slab::CacheConfig config, const CommandOptions& options) {
    config.events = &events;
    config.use_cas = options.use_cas;
    config.hash_seed = 1;
    std::string error;
    auto made = slab::Cache::Create(config, clock, &error);
    INFO(error);
    REQUIRE(made != nullptr);
    return made;
  }

  size_t TakeDirectly(std::string_view bytes) {
    size_t taken = 0;
    while (unread.empty() && !bytes.empty()) {
      const std::span<char> room = handler->DirectInput();
      if (room.empty()) break;
      const size_t part = std::min(room.size(), bytes.size());
      std::memcpy(room.data(), bytes.data(), part);
      const StreamStep step = handler->OnDirectInput(part, replies);
      CHECK(step.next == StreamStep::Next::kNeedInput);
      request_count += step.request_count;
      bytes.remove_prefix(part);
      taken += part;
    }
    direct_bytes += taken;
    return taken;
  }

  // True: somebody has called for the client's next turn.
  bool WaitForOthers() {
    service->OnTurnEnd();
    const int wakes_before = link.waker->wake_count.load();
    const auto is_woken = [&] { return link.waker->wake_count.load() != wakes_before; };
    events.Step();
    for (int i = 0; i < kErrandStepsMax && !is_woken(); ++i) {
      if (environment->Crawler().Step() == std::chrono::microseconds::max()) break;
    }
    service->OnTurnStart();
    return is_woken();
  }

  std::string Talk() {
    std::string answer;
    for (;;) {
      // A copy of just these bytes, so that sanitizers see who reads beyond them.
      const std::vector<char> input(unread.begin(), unread.end());
      const StreamStep step =
          handler->OnInput({input.data(), input.size()}, kRequestsPerTurn, replies);
      unread.erase(0, step.consumed_bytes);
      request_count += step.request_count;
      loan_count += replies.LoanCount();
      if (step.next == StreamStep::Next::kBlocked) {
        CHECK(replies.PendingBytes() > 0);
      }
      answer += replies.Take();
      switch (step.next) {
        case StreamStep::Next::kNeedInput:
          return answer;
        case StreamStep::Next::kAwait:
          if (!WaitForOthers()) return answer;
          break;
        case StreamStep::Next::kYield:
          ++yield_count;
          break;
        case StreamStep::Next::kBlocked:
          ++block_count;
          break;
        case StreamStep::Next::kClose:
        case StreamStep::Next::kShutdown:
        case StreamStep::Next::kRefuse:
        case StreamStep::Next::kAbort:
          is_closed = true;
          return answer;
      }
    }
  }
};

}  // namespace larder::server
