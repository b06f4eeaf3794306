#include <string>

#include <catch2/catch.hpp>

#include "tests/server/commands/conversation.h"

namespace larder::server {
namespace {

// Fills pages of the class that values of this size go to.
void Store(Conversation& client, const std::string& key, size_t count, size_t value_bytes) {
  for (size_t i = 0; i < count; ++i) {
    client.Say("set " + key + std::to_string(i) + " 0 0 " + std::to_string(value_bytes) +
               " noreply\r\n" + std::string(value_bytes, 'v') + "\r\n");
  }
}

void RunErrands(Conversation& client) {
  for (int i = 0; i < 1000; ++i) {
    if (client.environment->Crawler().Step() == std::chrono::microseconds::max()) return;
  }
  FAIL("errands without end");
}

// The class that has most pages.
std::string LargestClass(Conversation& client) {
  std::string largest;
  uint64_t pages_max = 0;
  for (const auto& [key, value] : client.Stats("slabs")) {
    if (!key.ends_with(":total_pages") || std::stoull(value) <= pages_max) continue;
    pages_max = std::stoull(value);
    largest = key.substr(0, key.find(':'));
  }
  return largest;
}

TEST_CASE("cache_memlimit takes megabytes within bounds") {
  Conversation client;
  CHECK(client.Say("cache_memlimit 100\r\n") == "OK\r\n");
  CHECK(client.Stats()["limit_maxbytes"] == "104857600");
  CHECK(client.server.logged == "maxbytes adjusted to 100m");
  CHECK(client.Say("cache_memlimit 32 noreply\r\n").empty());
  CHECK(client.Stats()["limit_maxbytes"] == "33554432");
  CHECK(client.Say("cache_memlimit 64 foo bar\r\n") == "OK\r\n");
  CHECK(client.Say("cache_memlimit 7\r\n") ==
        "MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m\r\n");
  CHECK(client.Say("cache_memlimit 1000000001\r\n") ==
        "MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes\r\n");
  for (const std::string words : {"", " x", " -1", " 4294967296", " 64m"}) {
    INFO(words);
    CHECK(client.Say("cache_memlimit" + words + "\r\n") == "ERROR\r\n");
  }
  CHECK(client.Stats()["limit_maxbytes"] == "67108864");
}

TEST_CASE("a limit that was taken at the start stays what it is") {
  Conversation client(CommandOptions{.preallocate = true});
  CHECK(client.Say("cache_memlimit 100\r\n") ==
        "MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust\r\n");
  CHECK(client.Say("cache_memlimit 7\r\n") ==
        "MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m\r\n");
}

TEST_CASE("slabs reassign moves a page in the background, one at a time") {
  Conversation client;
  Store(client, "k", 60, 100'000);
  const std::string donor = LargestClass(client);
  const uint64_t pages = std::stoull(client.Stats("slabs")[donor + ":total_pages"]);
  REQUIRE(pages >= 2);
  CHECK(client.Say("slabs reassign " + donor + " 1\r\n") == "OK\r\n");
  CHECK(client.Stats()["slab_reassign_running"] == "1");
  CHECK(client.Say("slabs reassign " + donor + " 1\r\n") ==
        "BUSY currently processing reassign request\r\n");
  RunErrands(client);
  auto slabs = client.Stats("slabs");
  CHECK(slabs[donor + ":total_pages"] == std::to_string(pages - 1));
  CHECK(slabs["1:total_pages"] == "1");
  CHECK(client.Stats()["slab_reassign_running"] == "0");
  CHECK(client.Stats()["slabs_moved"] == "1");
  CHECK(client.Say("slabs reassign -1 2\r\n") == "OK\r\n");
  RunErrands(client);
  CHECK(client.Stats("slabs")["2:total_pages"] == "1");
}

TEST_CASE("slabs reassign -1 takes a page where it is missed least") {
  Conversation client;
  Store(client, "small", 2500, 1000);
  const std::string small = LargestClass(client);
  Store(client, "large", 60, 100'000);
  const std::string large = LargestClass(client);
  auto before = client.Stats("slabs");
  const auto pages_of = [](auto& stats, const std::string& id) {
    return std::stoull(stats[id + ":total_pages"]);
  };
  REQUIRE(std::stoul(small) < std::stoul(large));
  REQUIRE(pages_of(before, small) >= 2);
  CHECK(client.Say("slabs reassign -1 1\r\n") == "OK\r\n");
  RunErrands(client);
  auto after = client.Stats("slabs");
  CHECK(pages_of(after, large) == pages_of(before, large) - 1);  // it has the most
  CHECK(pages_of(after, small) == pages_of(before, small));

  for (size_t i = 0; i < 2500; ++i) client.Say("delete small" + std::to_string(i) + "\r\n");
  CHECK(client.Say("slabs reassign -1 2\r\n") == "OK\r\n");
  RunErrands(client);
  auto last = client.Stats("slabs");
  CHECK(pages_of(last, large) == pages_of(after, large));
  CHECK(pages_of(last, small) == pages_of(after, small) - 1);  // it has a page of free chunks
}

TEST_CASE("slabs reassign gives a class a page that nobody has used yet") {
  Conversation client;
  CHECK(client.Say("slabs reassign 0 2\r\n") == "OK\r\n");
  RunErrands(client);
  CHECK(client.Stats("slabs")["2:total_pages"] == "1");
}

TEST_CASE("slabs reassign refuses what it cannot do") {
  Conversation client;
  const std::string bad_class = "BADCLASS invalid src or dst class id\r\n";
  CHECK(client.Say("slabs reassign 1 2\r\n") == "NOSPARE source class has no spare pages\r\n");
  CHECK(client.Say("slabs reassign 2 2\r\n") == "SAME src and dst class are identical\r\n");
  CHECK(client.Say("slabs reassign 1 63\r\n") == bad_class);
  CHECK(client.Say("slabs reassign 63 1\r\n") == bad_class);
  CHECK(client.Say("slabs reassign -2 1\r\n") == bad_class);
  CHECK(client.Say("slabs reassign 1 -2\r\n") == bad_class);
  CHECK(client.Say("slabs reassign -1 1\r\n") == bad_class);
  CHECK(client.Say("slabs reassign -1 -1\r\n") == "SAME src and dst class are identical\r\n");
  CHECK(client.Say("slabs reassign x 1\r\n") == "CLIENT_ERROR bad command line format\r\n");
  CHECK(client.Say("slabs reassign 1 2x\r\n") == "CLIENT_ERROR bad command line format\r\n");

  Conversation fixed(CommandOptions{.slab_reassign = false});
  CHECK(fixed.Say("slabs reassign x 1\r\n") == "CLIENT_ERROR slab reassignment disabled\r\n");
}

TEST_CASE("slabs wants its exact words") {
  Conversation client;
  for (const std::string words : {"", " foo", " reassign", " reassign 1", " reassign 1 2 3",
                                  " automove", " reassigned 1 2"}) {
    INFO(words);
    CHECK(client.Say("slabs" + words + "\r\n") == "ERROR\r\n");
  }
  CHECK(client.Say("slabs reassign 1 2 noreply\r\n").empty());
  CHECK(client.Say("slabs r 2 2\r\n") == "SAME src and dst class are identical\r\n");
}

TEST_CASE("slabs automove is kept, and shown as it was set") {
  Conversation client;
  LiveSettings& live = client.server.live;
  CHECK(client.Say("slabs automove 0\r\n") == "OK\r\n");
  CHECK(live.slab_automove.Get() == 0);
  CHECK(client.Say("slabs a 2 foo\r\n") == "OK\r\n");
  CHECK(live.slab_automove.Get() == 2);
  CHECK(client.Say("slabs automove 3\r\n") == "ERROR\r\n");
  CHECK(client.Say("slabs automove -1\r\n") == "CLIENT_ERROR bad command line format\r\n");
  CHECK(client.Say("slabs automove 1 noreply\r\n").empty());
  CHECK(live.slab_automove.Get() == 1);

  CHECK(client.Say("slabs automove ratio 0.5\r\n") == "OK\r\n");
  CHECK(live.slab_automove_ratio.Get() == 0.5);
  CHECK(client.Say("slabs automove r x\r\n") == "ERROR\r\n");
  CHECK(client.Say("slabs automove freeratio\r\n") == "ERROR\r\n");
  CHECK(client.Say("slabs automove f -2e1\r\n") == "OK\r\n");
  CHECK(live.slab_automove_freeratio.Get() == -20);
  CHECK(client.Say("slabs automove window 3\r\n") == "OK\r\n");
  CHECK(live.slab_automove_window.Get() == 3);
  const std::string out_of_bounds = "CLIENT_ERROR automove window too low or too high\r\n";
  CHECK(client.Say("slabs automove window 2\r\n") == out_of_bounds);
  CHECK(client.Say("slabs automove w 1801\r\n") == out_of_bounds);
  CHECK(client.Say("slabs automove window\r\n") == "CLIENT_ERROR bad command line format\r\n");
  CHECK(live.slab_automove_window.Get() == 3);
}

}  // namespace
}  // namespace larder::server
