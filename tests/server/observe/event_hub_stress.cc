// Many threads tell, watchers come and go, and the log's thread carries: what arrives is whole.

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "server/observe/event_hub.h"

namespace larder::server {
namespace {

constexpr int kTellers = 4;
constexpr int kEventsPerTeller = 20'000;

void TellMany(EventHub& hub, int teller) {
  const std::string key = "teller-" + std::to_string(teller) + "-";
  for (int i = 0; i < kEventsPerTeller; ++i) {
    const std::string numbered = key + std::to_string(i);
    if (hub.EventSink::Wants(slab::EventSink::kFetches)) hub.OnFetch({.key = numbered});
    if (i % 16 == 0) std::this_thread::yield();
  }
}

// One watcher's stream of lines, checked as it comes in pieces.
class LineReader {
 public:
  void Take(Watcher& watcher) {
    std::string text(watcher.Lines().Size(), '\0');
    watcher.Lines().Read(text);
    rest_ += text;
    for (size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
      Check(std::string_view(rest_).substr(0, end));
      rest_.erase(0, end + 1);
    }
  }
  [[nodiscard]] int LineCount() const { return line_count_; }
  [[nodiscard]] int WrongCount() const { return wrong_count_ + (rest_.empty() ? 0 : 1); }

 private:
  // No event arrives twice, whatever is left out.
  void Check(std::string_view line) {
    if (line.starts_with("skipped=")) return;
    ++line_count_;
    const size_t at = line.find("key=teller-");
    if (!line.starts_with("ts=") || at == std::string_view::npos ||
        !line.ends_with(" status=not_found clsid=0 cfd=-1 size=0")) {
      ++wrong_count_;
      return;
    }
    const int teller = line[at + 11] - '0';
    const int number = std::stoi(std::string(line.substr(at + 13)));
    if (!seen_.insert({teller, number}).second) ++wrong_count_;
  }

  std::string rest_;
  std::set<std::pair<int, int>> seen_;
  int line_count_ = 0;
  int wrong_count_ = 0;
};

TEST_CASE("events of many threads arrive whole, while watchers come and go", "[stress]") {
  EventHub hub({.lane_bytes = 8192, .watcher_bytes = 16384, .thread_count = kTellers});
  hub.Start();
  // Watched before anybody tells, so that there is something to see whoever runs first.
  const auto watcher = hub.Watch(watch_stream::kFetchers, [] {});
  REQUIRE(watcher != nullptr);
  std::atomic<int> running{kTellers};
  std::vector<std::thread> tellers;
  for (int i = 0; i < kTellers; ++i) {
    tellers.emplace_back([&hub, &running, i] {
      TellMany(hub, i);
      running.fetch_sub(1);
    });
  }
  std::thread passer_by([&hub, &running] {
    while (running.load() != 0) {
      const auto guest = hub.Watch(watch_stream::kFetchers | watch_stream::kEvictions, [] {});
      if (guest != nullptr) guest->Close();
      std::this_thread::yield();
    }
  });

  LineReader reader;
  while (running.load() != 0) {
    reader.Take(*watcher);
    std::this_thread::yield();
  }
  for (std::thread& teller : tellers) teller.join();
  passer_by.join();
  hub.Stop();
  hub.Step();
  reader.Take(*watcher);
  CHECK(reader.WrongCount() == 0);
  CHECK(reader.LineCount() > 0);
  const EventLogStats stats = hub.Stats();
  CHECK(stats.log_worker_written + stats.log_worker_dropped == kTellers * kEventsPerTeller);
}

}  // namespace
}  // namespace larder::server
