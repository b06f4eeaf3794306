#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/server/commands/conversation.h"

namespace larder::server {
namespace {

// A watcher beside a client, on one worker.
class WatchedConversation {
 public:
  explicit WatchedConversation(const std::string& streams, const slab::CacheConfig& config = {})
      : client({}, config) {
    watcher_link.fd = 40;
    client.service->OnTurnStart();
    watcher = client.service->MakeHandler(watcher_link);
    const std::string request = "watch " + streams + "\r\n";
    CHECK(watcher->OnInput(request, 1, client.replies).next == StreamStep::Next::kAwait);
    client.service->OnTurnEnd();
    CHECK(client.replies.Take() == "OK\r\n");
  }
  ~WatchedConversation() {
    client.service->OnTurnStart();
    watcher.reset();
    client.service->OnTurnEnd();
  }

  // What the watcher is told of what the client says, without times and numbers.
  std::vector<std::string> Watch(const std::string& requests) {
    client.Say(requests);
    client.events.Step();
    client.service->OnTurnStart();
    CHECK(watcher->OnInput({}, 1, client.replies).next == StreamStep::Next::kAwait);
    client.service->OnTurnEnd();
    std::vector<std::string> lines;
    std::istringstream stream(client.replies.Take());
    for (std::string line; std::getline(stream, line);) {
      REQUIRE(line.starts_with("ts="));
      lines.push_back(line.substr(line.find("type=")));
    }
    return lines;
  }

  FakeLink watcher_link;
  Conversation client;
  std::unique_ptr<StreamHandler> watcher;
};

using LineList = std::vector<std::string>;

TEST_CASE("watch answers for its words and for what is allowed") {
  Conversation client;
  CHECK(client.Say("watch foo\r\n") == "ERROR\r\n");
  CHECK(client.Say("watch fetchers noreply\r\n") == "ERROR\r\n");
  CHECK(client.Say(" watch\r\n") == "ERROR\r\n");
  CHECK(client.Say("version\r\nwatch\r\n") ==
        "VERSION 1.6.45\r\nERROR cannot pipeline other commands before watch\r\n");
  CHECK(client.Say("watch f m rawcmds proxyreqs proxyevents proxyuser\r\n") == "OK\r\n");
  CHECK(client.Say("version\r\n").empty());  // a watcher is not heard any more

  Conversation secret(CommandOptions{.watch_enabled = false});
  CHECK(secret.Say("watch foo\r\n") == "CLIENT_ERROR watch commands not allowed\r\n");
}

TEST_CASE("a watcher goes when its client closes, a dump does not") {
  Conversation client;
  CHECK(client.handler->GoesOnWithoutPeer());
  client.Say("watch\r\n");
  CHECK_FALSE(client.handler->GoesOnWithoutPeer());
  CHECK(client.events.Stats().log_watchers == 1);
  client.Reconnect();
  CHECK(client.events.Stats().log_watchers == 0);
}

TEST_CASE("one watcher more than twenty is told so") {
  Conversation client;
  client.service->OnTurnStart();
  std::vector<std::unique_ptr<StreamHandler>> watchers;
  for (size_t i = 0; i < EventLog::kWatchersMax; ++i) {
    watchers.push_back(client.service->MakeHandler(client.link));
    static_cast<void>(watchers.back()->OnInput("watch\r\n", 1, client.replies));
    CHECK(client.replies.Take() == "OK\r\n");
  }
  client.service->OnTurnEnd();
  CHECK(client.Stats()["log_watchers"] == "20");
  CHECK(client.Say("watch\r\n") == "WATCHER_TOO_MANY log watcher limit reached\r\n");
  client.service->OnTurnStart();
  watchers.clear();
  client.service->OnTurnEnd();
  CHECK(client.Say("watch\r\n") == "OK\r\n");
}

TEST_CASE("fetchers tell each look-up") {
  WatchedConversation watched("fetchers");
  CHECK(watched.Watch("get a\r\n") ==
        LineList{"type=item_get key=a status=not_found clsid=0 cfd=26 size=0"});
  watched.Watch("set a 0 0 3\r\nabc\r\n");
  CHECK(watched.Watch("get a\r\n") ==
        LineList{"type=item_get key=a status=found clsid=1 cfd=26 size=3"});
  CHECK(watched.Watch("me a\r\n") ==
        LineList{"type=item_get key=a status=found clsid=1 cfd=26 size=3"});
  CHECK(watched.Watch("me b\r\nme b\r\n") ==
        LineList(2, "type=item_get key=b status=not_found clsid=0 cfd=26 size=0"));
  // What a failed set must not leave behind is looked for; a failed add promises nothing.
  CHECK(watched.Watch("set a 0 0 2000000\r\n" + std::string(2'000'002, 'x')) ==
        LineList{"type=item_get key=a status=found clsid=1 cfd=26 size=3"});
  CHECK(watched.Watch("add a 0 0 2000000\r\n" + std::string(2'000'002, 'x')).empty());
}

TEST_CASE("a look that makes the item is one look") {
  WatchedConversation watched("fetchers");
  const LineList missed = {"type=item_get key=a status=not_found clsid=0 cfd=26 size=0"};
  CHECK(watched.Watch("mg a N30\r\n") == missed);
  watched.Watch("delete a\r\n");
  CHECK(watched.Watch("ms a 2 MA N30\r\nhi\r\n") == missed);
  CHECK(watched.Watch("ms a 2 MA N30\r\nhi\r\n") ==
        LineList{"type=item_get key=a status=found clsid=1 cfd=26 size=2"});
  watched.Watch("delete a\r\n");
  CHECK(watched.Watch("ms a 2 MP N30\r\nhi\r\n") == missed);
}

TEST_CASE("mutations tell each store and what came of it") {
  WatchedConversation watched("mutations");
  CHECK(watched.Watch("set a 0 0 3\r\nabc\r\n") ==
        LineList{"type=item_store key=a status=stored cmd=set ttl=0 clsid=1 cfd=26 size=3"});
  CHECK(watched.Watch("add a 0 60 1\r\n1\r\n") ==
        LineList{"type=item_store key=a status=not_stored cmd=add ttl=60 clsid=1 cfd=26 size=1"});
  CHECK(watched.Watch("append a 0 0 2 noreply\r\nde\r\n") ==
        LineList{"type=item_store key=a status=stored cmd=append ttl=0 clsid=1 cfd=26 size=5"});
  CHECK(watched.Watch("cas a 0 60 1 99\r\n1\r\n") ==
        LineList{"type=item_store key=a status=exists cmd=cas ttl=60 clsid=1 cfd=26 size=1"});
  CHECK(watched.Watch("cas b 0 60 1 99\r\n1\r\n") ==
        LineList{"type=item_store key=b status=not_found cmd=cas ttl=60 clsid=1 cfd=26 size=1"});
  CHECK(watched.Watch("set a 0 0 2000000\r\n" + std::string(2'000'002, 'x')) ==
        LineList{"type=item_store key=a status=too_large cmd=set ttl=0 clsid=0 cfd=26 size=0"});
  CHECK(watched.Watch("ms m 2 T30\r\nhi\r\n") ==
        LineList{"type=item_store key=m status=stored cmd=set ttl=30 clsid=1 cfd=26 size=2"});
  CHECK(watched.Watch("ma n N60 J12\r\nma n\r\n") ==
        LineList{"type=item_store key=n status=stored cmd=add ttl=60 clsid=1 cfd=26 size=2"});
  CHECK(watched.Watch("md n x I T30\r\n") ==
        LineList{"type=item_store key=n status=stored cmd=set ttl=30 clsid=1 cfd=26 size=0"});
  CHECK(watched.Watch("get a\r\nset x 0 0 1\r\nbad\r\nmd z x\r\n").empty());
}

TEST_CASE("deletions tell what was deleted, and by whom") {
  WatchedConversation watched("deletions");
  CHECK(watched.Watch("set a 0 0 3\r\nabc\r\ndelete a\r\ndelete a\r\n") ==
        LineList{"type=deleted key=a cmd=delete clsid=1 size=3"});
  CHECK(watched.Watch("set a 0 0 3\r\nabc\r\nmd a\r\nmd a\r\n") ==
        LineList{"type=deleted key=a cmd=md clsid=1 size=3"});
  CHECK(watched.Watch("set a 0 0 3\r\nabc\r\nmd a I\r\n").empty());  // only made stale
  CHECK(watched.Watch("md a x\r\n") == LineList{"type=deleted key=a cmd=md clsid=1 size=0"});
}

TEST_CASE("evictions tell who had to go") {
  WatchedConversation watched("evictions", slab::CacheConfig{.limit_bytes = 8 * slab::kMiB});
  LineList lines;
  for (int i = 0; i < 200 && lines.empty(); ++i) {
    lines = watched.Watch("set k" + std::to_string(i) + " 0 0 100000\r\n" +
                          std::string(100'000, 'v') + "\r\n");
  }
  REQUIRE(!lines.empty());
  CHECK(lines.front().starts_with("type=eviction key=k"));
  CHECK(lines.front().find(" fetch=no ttl=-1 la=0 clsid=") != std::string::npos);
  CHECK(lines.front().ends_with(" size=100000"));
}

}  // namespace
}  // namespace larder::server
