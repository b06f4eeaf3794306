#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "server/commands/dump.h"
#include "server/commands/pipe.h"
#include "tests/server/commands/conversation.h"

namespace larder::server {
namespace {

std::set<std::string> Lines(const std::string& text) {
  std::set<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.insert(line + "\n");
  return lines;
}

void StoreMany(Conversation& client, int count, size_t key_bytes = 1) {
  std::string requests;
  for (int i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    const std::string padding(key_bytes - std::min(key_bytes, number.size()), 'k');
    requests += "set " + padding + number + " 0 0 1 noreply\r\n1\r\n";
  }
  client.Say(requests);
}

TEST_CASE("metadump shows each live item in a line of its own") {
  Conversation client;
  client.PassSeconds(10);
  client.Say("set plain 0 0 3\r\nabc\r\nset a:b 5 100 3\r\nabc\r\nset gone 0 1 3\r\nabc\r\n");
  client.Say("gets plain\r\n");
  client.PassSeconds(5);
  const std::string dump = client.Say("lru_crawler metadump all\r\n");
  REQUIRE(dump.starts_with("OK\r\n"));
  REQUIRE(dump.ends_with("\nEND\r\n"));
  const std::string lines = dump.substr(4, dump.size() - 4 - 5);
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 2);
  CHECK(lines.find('\r') == std::string::npos);
  CHECK(lines.find("key=plain exp=-1 la=1700000010 cas=2 fetch=yes cls=1 size=") !=
        std::string::npos);
  CHECK(lines.find(" flags=0 \n") != std::string::npos);
  CHECK(lines.find("key=a%3Ab exp=1700000110 la=1700000010 cas=3 fetch=no cls=1 size=") !=
        std::string::npos);
  CHECK(lines.find(" flags=5 \n") != std::string::npos);
  CHECK(client.Say("version\r\n") == "VERSION 1.6.45\r\n");
}

TEST_CASE("an empty cache has an empty dump") {
  Conversation client;
  CHECK(client.Say("lru_crawler metadump all\r\n") == "OK\r\nEND\r\n");
  CHECK(client.Say("lru_crawler mgdump hash\r\n") == "OK\r\nEN\r\n");
}

TEST_CASE("mgdump shows each key as a meta get") {
  Conversation client;
  client.Say("set a:b 0 0 1\r\n1\r\nset c 0 0 1\r\n1\r\n");
  const auto lines = Lines(client.Say("lru_crawler mgdump all\r\n"));
  CHECK(lines == std::set<std::string>{"OK\r\n", "mg a:b\r\n", "mg c\r\n", "EN\r\n"});
}

TEST_CASE("a dump shows the classes that it is asked for") {
  Conversation client;
  client.Say("set small 0 0 1\r\n1\r\nset large 0 0 5000\r\n" + std::string(5000, 'v') + "\r\n");
  const auto small = Lines(client.Say("lru_crawler mgdump 1\r\n"));
  CHECK(small == std::set<std::string>{"OK\r\n", "mg small\r\n", "EN\r\n"});
  CHECK(Lines(client.Say("lru_crawler mgdump 62,63\r\n")) ==
        std::set<std::string>{"OK\r\n", "EN\r\n"});
  CHECK(client.Say("lru_crawler mgdump 1,62,63,2\r\n").find("mg small\r\n") != std::string::npos);
}

TEST_CASE("a dump that is larger than its pipe arrives whole") {
  constexpr int kItems = 5000;
  Conversation client;
  StoreMany(client, kItems, 200);
  const std::string dump = client.Say("lru_crawler metadump all\r\nversion\r\n");
  CHECK(dump.size() > 4 * kPipeBytes);
  CHECK(std::count(dump.begin(), dump.end(), '\n') == kItems + 3);
  CHECK(dump.ends_with("END\r\nVERSION 1.6.45\r\n"));  // what was sent behind it is answered
}

TEST_CASE("dumps answer for what was asked and what is allowed, in memcached's order") {
  Conversation client;
  CHECK(client.Say("lru_crawler metadump 0\r\n") == "BADCLASS invalid class id\r\n");
  CHECK(client.Say("lru_crawler metadump 64\r\n") == "BADCLASS invalid class id\r\n");
  CHECK(client.Say("lru_crawler metadump 1,x\r\n") == "BADCLASS invalid class id\r\n");
  CHECK(client.Say("lru_crawler metadump ,\r\n") == "NOTSTARTED no items to crawl\r\n");
  CHECK(client.Say("lru_crawler metadump\r\n") == "ERROR\r\n");
  CHECK(client.Say("lru_crawler metadump all x\r\n") == "ERROR\r\n");
  CHECK(client.Say("version\r\nlru_crawler metadump all\r\n") ==
        "VERSION 1.6.45\r\nERROR cannot pipeline other commands before metadump\r\n");
  CHECK(client.Say("version\r\nlru_crawler mg all\r\n") ==
        "VERSION 1.6.45\r\nERROR cannot pipeline other commands before mgdump\r\n");

  Conversation secret(CommandOptions{.dump_enabled = false});
  CHECK(secret.Say("lru_crawler metadump all\r\n") == "ERROR metadump not allowed\r\n");
  CHECK(secret.Say("lru_crawler mgdump all\r\n") == "ERROR key dump not allowed\r\n");
  CHECK(secret.Say("lru_crawler crawl all\r\n") == "OK\r\n");
  secret.Say("lru_crawler disable\r\n");
  CHECK(secret.Say("lru_crawler metadump all\r\n") == "CLIENT_ERROR lru crawler disabled\r\n");
}

// Asks, at each call, whether the crawler is busy still, and remembers the last answer.
class AskingWaker final : public Waker {
 public:
  explicit AskingWaker(const Crawler& crawler) : crawler_(crawler) {}
  void Wake() override { was_busy = crawler_.IsBusy(Crawler::Errand::kCrawl); }

  std::optional<bool> was_busy;

 private:
  const Crawler& crawler_;
};

TEST_CASE("who hears the end of a dump may begin the next at once") {
  Conversation client;
  client.Say("set k 0 0 1\r\n1\r\n");
  Crawler& crawler = client.environment->Crawler();
  const auto waker = std::make_shared<AskingWaker>(crawler);
  const auto pipe = std::make_shared<Pipe>(waker);
  REQUIRE(crawler.Begin(Crawler::Errand::kCrawl,
                        std::make_unique<MetaDumpJob>(pipe, client.clock, kAllClasses)));
  size_t bytes_before_end = 0;
  while (!pipe->is_complete) {
    bytes_before_end = pipe->bytes.Front().size();
    crawler.Step();
  }
  CHECK(pipe->bytes.Front().ends_with("END\r\n"));
  CHECK(pipe->bytes.Front().size() > bytes_before_end);
  REQUIRE(waker->was_busy.has_value());
  CHECK_FALSE(*waker->was_busy);
}

TEST_CASE("crawl frees what has expired, once at a time") {
  Conversation client;
  client.PassSeconds(10);
  client.Say("set gone 0 1 1\r\n1\r\nset stays 0 0 1\r\n1\r\n");
  client.clock.Set(client.clock.NowSeconds() + 5);  // and no maintenance sees it first
  CHECK(client.Say("lru_crawler crawl 2,3\r\n") == "OK\r\n");
  CHECK(client.Say("lru_crawler crawl all\r\n") == "BUSY currently processing crawler request\r\n");
  CHECK(client.Say("lru_crawler metadump all\r\n") ==
        "BUSY currently processing crawler request\r\n");
  CHECK(client.Stats()["lru_crawler_running"] == "1");
  while (client.environment->Crawler().Step() != std::chrono::microseconds::max()) {
  }
  CHECK(client.Stats()["curr_items"] == "2");
  CHECK(client.Say("lru_crawler crawl 1,1\r\n") == "OK\r\n");
  while (client.environment->Crawler().Step() != std::chrono::microseconds::max()) {
  }
  auto stats = client.Stats();
  CHECK(stats["curr_items"] == "1");
  CHECK(stats["crawler_reclaimed"] == "1");
  CHECK(std::stoull(stats["crawler_items_checked"]) >= 2);
  CHECK(stats["lru_crawler_running"] == "0");
  CHECK(stats["lru_crawler_starts"] == "2");
  CHECK(client.Stats("items")["items:1:crawler_reclaimed"] == "1");
  client.Say("stats reset\r\n");
  CHECK(client.Stats()["lru_crawler_starts"] == "0");
}

TEST_CASE("lru_crawler's settings are kept, and its switch knows its state") {
  Conversation client;
  LiveSettings& live = client.server.live;
  CHECK(client.Say("lru_crawler enable\r\n") == "ERROR failed to start lru crawler thread\r\n");
  CHECK(client.Say("lru_crawler d\r\n") == "OK\r\n");
  CHECK_FALSE(live.lru_crawler.Get());
  CHECK(client.Say("lru_crawler disable\r\n") == "OK\r\n");
  CHECK(client.Say("lru_crawler crawl all\r\n") == "CLIENT_ERROR lru crawler disabled\r\n");
  CHECK(client.Stats().count("lru_crawler_running") == 0);
  CHECK(client.Say("lru_crawler enable noreply\r\n").empty());  // one word too many: not heard
  CHECK_FALSE(live.lru_crawler.Get());
  CHECK(client.Say("lru_crawler e\r\n") == "OK\r\n");

  CHECK(client.Say("lru_crawler sleep 1000000\r\n") == "OK\r\n");
  CHECK(live.lru_crawler_sleep.Get() == 1000000);
  CHECK(client.Say("lru_crawler sleep 1000001\r\n") ==
        "CLIENT_ERROR sleep must be one second or less\r\n");
  CHECK(client.Say("lru_crawler s x\r\n") == "CLIENT_ERROR bad command line format\r\n");
  CHECK(client.Say("lru_crawler tocrawl 5\r\n") == "OK\r\n");
  CHECK(live.lru_crawler_tocrawl.Get() == 5);
  CHECK(client.Say("lru_crawler t -1\r\n") == "CLIENT_ERROR bad command line format\r\n");
  for (const std::string words : {"", " foo", " foo bar", " sleep", " crawl", " crawl 1 2"}) {
    INFO(words);
    CHECK(client.Say("lru_crawler" + words + "\r\n") == "ERROR\r\n");
  }
  CHECK(client.Say("lru_crawler crawl hash\r\n") == "ERROR an unknown error happened\r\n");
  CHECK(client.Say("lru_crawler crawl ,,\r\n") == "NOTSTARTED no items to crawl\r\n");
  CHECK(client.Say("lru_crawler crawl 0\r\n") == "BADCLASS invalid class id\r\n");
}

// --- clients that do not read --------------------------------------------------------------------

// A dump whose reader takes nothing, stepped by hand.
struct StalledDump {
  StalledDump() {
    StoreMany(client, 5000, 200);
    client.service->OnTurnStart();
    const std::string request = "lru_crawler metadump all\r\n";
    CHECK(client.handler->OnInput(request, 1, client.replies).next == StreamStep::Next::kAwait);
    client.service->OnTurnEnd();
  }
  // Steps until the job can do no more.
  void RunUntilBlocked() {
    for (int i = 0; i < 100; ++i) client.environment->Crawler().Step();
  }
  StreamStep::Next Resume() {
    client.service->OnTurnStart();
    const StreamStep::Next next = client.handler->OnInput({}, 20, client.replies).next;
    client.service->OnTurnEnd();
    return next;
  }
  Conversation client;
};

TEST_CASE("a dump waits for a slow reader, and goes on where it was") {
  StalledDump dump;
  dump.RunUntilBlocked();
  CHECK(dump.client.environment->Crawler().IsBusy(Crawler::Errand::kCrawl));
  dump.client.PassSeconds(kStallSecondsMax - 1);
  dump.RunUntilBlocked();
  std::string text;
  for (StreamStep::Next next = StreamStep::Next::kYield; next != StreamStep::Next::kNeedInput;) {
    next = dump.Resume();
    text += dump.client.replies.Take();
    if (next == StreamStep::Next::kAwait) dump.RunUntilBlocked();
  }
  CHECK(std::count(text.begin(), text.end(), '\n') == 5002);
}

TEST_CASE("a reader that takes nothing for half a minute loses its dump and its connection") {
  StalledDump dump;
  dump.RunUntilBlocked();
  dump.client.PassSeconds(kStallSecondsMax);
  const int wakes = dump.client.link.waker->wake_count;
  dump.RunUntilBlocked();
  CHECK_FALSE(dump.client.environment->Crawler().IsBusy(Crawler::Errand::kCrawl));
  CHECK(dump.client.link.waker->wake_count > wakes);
  CHECK(dump.Resume() == StreamStep::Next::kAbort);
}

TEST_CASE("a dump ends when its client is gone") {
  StalledDump dump;
  dump.RunUntilBlocked();
  dump.client.Reconnect();
  dump.client.environment->Crawler().Step();
  CHECK_FALSE(dump.client.environment->Crawler().IsBusy(Crawler::Errand::kCrawl));
}

}  // namespace
}  // namespace larder::server
