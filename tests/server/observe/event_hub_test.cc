#include "server/observe/event_hub.h"

#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace larder::server {
namespace {

// A log, stepped by hand, and those who watch it.
class WatchedLog {
 public:
  explicit WatchedLog(EventHubConfig config = {.thread_count = 1}) : hub(config) {}

  std::shared_ptr<Watcher> Watch(uint32_t streams) {
    return hub.Watch(streams, [this] { ++wake_count; });
  }
  void Fetch(std::string_view key) { hub.OnFetch({.key = key, .origin = 4}); }

  // What the watcher has to read, without the times.
  std::vector<std::string> Read(Watcher& watcher) {
    std::string text(watcher.Lines().Size(), '\0');
    watcher.Lines().Read(text);
    std::vector<std::string> lines;
    for (size_t at = 0; at < text.size();) {
      const size_t end = text.find('\n', at);
      const std::string line = text.substr(at, end - at);
      const size_t gid = line.find("gid=");
      lines.push_back(gid == std::string::npos ? line : line.substr(gid));
      at = end + 1;
    }
    return lines;
  }

  EventHub hub;
  int wake_count = 0;
};

std::string FetchLine(int gid, const std::string& key) {
  return "gid=" + std::to_string(gid) + " type=item_get key=" + key +
         " status=not_found clsid=0 cfd=4 size=0";
}

TEST_CASE("nobody watches: nothing is wanted, and the log's thread may sleep") {
  WatchedLog log;
  CHECK_FALSE(log.hub.EventLog::Wants(~0U));
  CHECK_FALSE(log.hub.EventSink::Wants(slab::EventSink::kFetches));
  CHECK_FALSE(log.hub.IsWatched());
  CHECK(log.hub.Step() == BackgroundThread::kUntilWoken);
}

TEST_CASE("a watcher is told what happens on its streams from then on") {
  WatchedLog log;
  const auto watcher = log.Watch(watch_stream::kFetchers | watch_stream::kDeletions);
  REQUIRE(watcher != nullptr);
  CHECK(log.hub.EventLog::Wants(watch_stream::kDeletions));
  CHECK_FALSE(log.hub.EventLog::Wants(watch_stream::kMutations));
  CHECK(log.hub.EventSink::Wants(slab::EventSink::kFetches));
  CHECK_FALSE(log.hub.EventSink::Wants(slab::EventSink::kEvictions));

  log.Fetch("a");
  log.hub.Tell(StoreTold{.key = "b"});  // on a stream that is not watched
  log.hub.Tell(DeletionTold{.key = "c", .command = DeleteCommand::kDelete});
  CHECK(log.wake_count == 0);
  CHECK(log.hub.Step() != BackgroundThread::kUntilWoken);
  CHECK(log.wake_count == 1);
  CHECK(log.Read(*watcher) ==
        std::vector<std::string>{FetchLine(2, "a"),
                                 "gid=4 type=deleted key=c cmd=delete clsid=0 size=0"});
  log.hub.Step();
  CHECK(log.wake_count == 1);
}

TEST_CASE("each watcher has its own streams, and hears nothing from before its time") {
  WatchedLog log;
  const auto first = log.Watch(watch_stream::kFetchers);
  log.Fetch("a");
  const auto second = log.Watch(watch_stream::kFetchers | watch_stream::kConnectionEvents);
  log.hub.OnOpen({.fd = 9, .carrier = Carrier::kTcp, .address = "10.0.0.1", .port = 5});
  log.hub.Step();
  CHECK(log.Read(*first) == std::vector<std::string>{FetchLine(2, "a")});
  CHECK(log.Read(*second) ==
        std::vector<std::string>{"gid=4 type=conn_new rip=10.0.0.1 rport=5 transport=tcp cfd=9"});
}

TEST_CASE("a watcher that does not read is told how many lines it missed, once it does") {
  WatchedLog log({.lane_bytes = 4096, .watcher_bytes = 128, .thread_count = 1});
  const auto watcher = log.Watch(watch_stream::kFetchers);
  for (int i = 0; i < 5; ++i) log.Fetch("k");
  log.hub.Step();
  CHECK(log.Read(*watcher) == std::vector<std::string>{FetchLine(2, "k")});
  log.Fetch("k");
  log.hub.Step();
  CHECK(log.Read(*watcher) == std::vector<std::string>{"skipped=4", FetchLine(7, "k")});
  CHECK(log.hub.Stats().log_watcher_skipped == 4);
  CHECK(log.hub.Stats().log_watcher_sent == 2);
}

TEST_CASE("events that the log's thread has no time for are dropped and counted") {
  WatchedLog log({.lane_bytes = 256, .watcher_bytes = 65536, .thread_count = 1});
  const auto watcher = log.Watch(watch_stream::kFetchers);
  for (int i = 0; i < 100; ++i) log.Fetch("k");
  log.hub.Step();
  const EventLogStats stats = log.hub.Stats();
  CHECK(stats.log_worker_written + stats.log_worker_dropped == 100);
  CHECK(stats.log_worker_dropped > 90);
  CHECK(log.Read(*watcher).size() == stats.log_worker_written);
  log.hub.ResetStats();
  CHECK(log.hub.Stats().log_worker_dropped == 0);
  CHECK(log.hub.Stats().log_watchers == 1);
}

TEST_CASE("twenty may watch; one more may when one has left") {
  WatchedLog log;
  std::vector<std::shared_ptr<Watcher>> watchers;
  for (size_t i = 0; i < EventLog::kWatchersMax; ++i) {
    watchers.push_back(log.Watch(watch_stream::kFetchers));
    REQUIRE(watchers.back() != nullptr);
  }
  CHECK(log.Watch(watch_stream::kFetchers) == nullptr);
  CHECK(log.hub.Stats().log_watchers == EventLog::kWatchersMax);
  watchers[3]->Close();
  CHECK(log.hub.Stats().log_watchers == EventLog::kWatchersMax - 1);
  CHECK(log.Watch(watch_stream::kFetchers) != nullptr);
}

TEST_CASE("when the last watcher has left, nothing is wanted any more") {
  WatchedLog log;
  log.Watch(watch_stream::kFetchers | watch_stream::kConnectionEvents)->Close();
  CHECK(log.hub.IsWatched());
  CHECK(log.hub.Step() == BackgroundThread::kUntilWoken);
  CHECK_FALSE(log.hub.EventLog::Wants(~0U));
  CHECK_FALSE(log.hub.EventSink::Wants(slab::EventSink::kFetches));
  CHECK_FALSE(log.hub.IsWatched());
}

TEST_CASE("the longest key there is has a place in a line") {
  WatchedLog log;
  const auto watcher = log.Watch(watch_stream::kFetchers);
  log.Fetch(std::string(250, ' '));
  log.hub.Step();
  std::string encoded;
  for (int i = 0; i < 250; ++i) encoded += "%20";
  CHECK(log.Read(*watcher) == std::vector<std::string>{FetchLine(2, encoded)});
}

}  // namespace
}  // namespace larder::server
