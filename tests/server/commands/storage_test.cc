#include "server/commands/storage.h"

#include <string>

#include <catch2/catch.hpp>

#include "tests/server/commands/conversation.h"

namespace larder::server {
namespace {

const std::string kTooLarge = "SERVER_ERROR object too large for cache\r\n";
const std::string kBadLine = "CLIENT_ERROR bad command line format\r\n";
const std::string kBadChunk = "CLIENT_ERROR bad data chunk\r\n";
constexpr size_t kLargestValueOfKey1 = 1048517 - 1;  // for a key of one byte

std::string Set(const std::string& key, size_t value_bytes, char fill = 'v',
                const std::string& flags = "0") {
  return "set " + key + " " + flags + " 0 " + std::to_string(value_bytes) + "\r\n" +
         std::string(value_bytes, fill) + "\r\n";
}

std::string Found(const std::string& key, const std::string& value) {
  return "VALUE " + key + " 0 " + std::to_string(value.size()) + "\r\n" + value + "\r\nEND\r\n";
}

TEST_CASE("each store command minds whether the key is there") {
  Conversation client;
  CHECK(client.Say("replace k 0 0 1\r\n1\r\n") == "NOT_STORED\r\n");
  CHECK(client.Say("append k 0 0 1\r\n1\r\n") == "NOT_STORED\r\n");
  CHECK(client.Say("prepend k 0 0 1\r\n1\r\n") == "NOT_STORED\r\n");
  CHECK(client.Say("cas k 0 0 1 0\r\n1\r\n") == "NOT_FOUND\r\n");
  CHECK(client.Say("add k 0 0 1\r\n1\r\n") == "STORED\r\n");
  CHECK(client.Say("add k 0 0 1\r\n2\r\n") == "NOT_STORED\r\n");
  CHECK(client.Say("cas k 0 0 1 0\r\n2\r\n") == "EXISTS\r\n");
  CHECK(client.Say("append k 7 0 1\r\n2\r\n") == "STORED\r\n");
  CHECK(client.Say("prepend k 7 0 1\r\n0\r\n") == "STORED\r\n");
  CHECK(client.Say("get k\r\n") == Found("k", "012"));
  CHECK(client.Say("replace k 0 0 1\r\n3\r\n") == "STORED\r\n");
  CHECK(client.Say("get k\r\n") == Found("k", "3"));
}

TEST_CASE("the first CAS unique is 2 and every attempt to store burns one") {
  Conversation client;
  client.Say("set a 0 0 1\r\n1\r\n");
  CHECK(client.Say("gets a\r\n") == "VALUE a 0 1 2\r\n1\r\nEND\r\n");
  client.Say("add a 0 0 1\r\n1\r\n");  // NOT_STORED takes 3
  CHECK(client.Say("cas a 0 0 1 9\r\n5\r\n") == "EXISTS\r\n");
  CHECK(client.Say("cas a 0 0 1 2\r\n5\r\n") == "STORED\r\n");
  CHECK(client.Say("gets a\r\n") == "VALUE a 0 1 5\r\n5\r\nEND\r\n");
}

TEST_CASE("without CAS every unique is 0 and cas never stores") {
  Conversation client(CommandOptions{.use_cas = false});
  CHECK(client.Say("cas a 0 0 1 0\r\n1\r\n") == "NOT_FOUND\r\n");
  client.Say("set a 0 0 1\r\n1\r\n");
  CHECK(client.Say("gets a\r\n") == "VALUE a 0 1 0\r\n1\r\nEND\r\n");
  CHECK(client.Say("cas a 0 0 1 0\r\n2\r\n") == "EXISTS\r\n");
}

TEST_CASE("values are any bytes, and none") {
  Conversation client;
  const std::string value("\0\r\nEND\r\nget a\r\n\x80\xff", 17);
  CHECK(client.Say("set k 0 0 17\r\n" + value + "\r\n") == "STORED\r\n");
  CHECK(client.Say("get k\r\n") == Found("k", value));
  CHECK(client.Say("set k 0 0 0\r\n\r\n") == "STORED\r\n");
  CHECK(client.Say("get k\r\n") == Found("k", ""));
}

TEST_CASE("a value without its line end keeps the old item, and the rest is read as commands") {
  Conversation client;
  client.Say("set k 0 0 3\r\nold\r\n");
  CHECK(client.Say("set k 0 0 3\r\nabcd\r\n") == kBadChunk + kBadLine);
  CHECK(client.Say("set k 0 0 3\r\nabcdefgh\r\n") == kBadChunk + "ERROR\r\n");
  CHECK(client.Say("set k 0 0 3\r\nabc\nversion\r\n") == kBadChunk + "ERROR\r\n");
  CHECK(client.Say("set k 0 0 3 noreply\r\nabcdversion\r\n") == "ERROR\r\n");
  CHECK(client.Say("get k\r\n") == Found("k", "old"));
  CHECK(client.Stats()["cmd_set"] == "5");
}

TEST_CASE("noreply silences success, refusal and error") {
  Conversation client;
  CHECK(client.Say("set k 0 0 1 noreply\r\n1\r\n").empty());
  CHECK(client.Say("add k 0 0 1 noreply\r\n1\r\n").empty());
  CHECK(client.Say("set k 0 0 2000000 noreply\r\n" + std::string(2000002, 'x')).empty());
  CHECK(client.Say("set k x 0 1 noreply\r\n1\r\n").empty());
  CHECK(client.Say("set k 0 0 x noreply\r\n") == kBadLine);
}

TEST_CASE("a refused value is swallowed, and only then answered") {
  Conversation client;
  CHECK(client.Say("set k 0 0 2000000\r\n").empty());
  CHECK(client.SayInPieces(std::string(2000001, 'x'), 65536).empty());
  CHECK(client.Say("\nversion\r\n") == kTooLarge + "VERSION 1.6.45\r\n");
  CHECK(client.Say("set k 0 x 5\r\nget a\r\n") == kBadLine);
  CHECK(client.Say("set k 0 0 -1\r\nget\r\n") == kBadLine + kBadLine);
}

TEST_CASE("the largest value is what memcached's item size leaves") {
  Conversation client;
  CHECK(client.Say(Set("k", kLargestValueOfKey1)) == "STORED\r\n");
  CHECK(client.Say(Set("k", kLargestValueOfKey1 + 1)) == kTooLarge);
  CHECK(client.Say(Set("k", kLargestValueOfKey1, 'v', "1")) == kTooLarge);
  CHECK(client.Say(Set("k", kLargestValueOfKey1 - 4, 'v', "1")) == "STORED\r\n");
  CHECK(client.Say(Set("kk", kLargestValueOfKey1)) == kTooLarge);
  CHECK(client.Stats()["store_too_large"] == "3");

  Conversation without_cas(CommandOptions{.use_cas = false});
  CHECK(without_cas.Say(Set("k", kLargestValueOfKey1 + 8)) == "STORED\r\n");
  CHECK(without_cas.Say(Set("k", kLargestValueOfKey1 + 9)) == kTooLarge);
}

TEST_CASE("a set that is too large deletes the old item, another store does not") {
  Conversation client;
  const std::string large = "2000000\r\n" + std::string(2000000, 'x') + "\r\n";
  client.Say("set k 0 0 3\r\nold\r\n");
  for (const std::string command : {"add", "replace", "append", "prepend"}) {
    CHECK(client.Say(command + " k 0 0 " + large) == kTooLarge);
  }
  CHECK(client.Say("get k\r\n") == Found("k", "old"));
  CHECK(client.Say("set k 0 0 " + large) == kTooLarge);
  CHECK(client.Say("get k\r\n") == "END\r\n");
  CHECK(client.Stats()["store_too_large"] == "5");
  CHECK(client.Stats()["delete_hits"] == "0");
}

TEST_CASE("without eviction a full cache refuses stores in memcached's words") {
  slab::CacheConfig config;
  config.limit_bytes = 8 * slab::kMiB;
  config.evict = false;
  Conversation client({}, config);
  client.Say("set small 0 0 3\r\nold\r\n");
  std::string answer;
  for (int i = 0; i < 30 && answer != "SERVER_ERROR out of memory storing object\r\n"; ++i) {
    answer = client.Say(Set("k" + std::to_string(i), 500000));
  }
  CHECK(answer == "SERVER_ERROR out of memory storing object\r\n");
  CHECK(client.Stats()["store_no_memory"] == "1");
  CHECK(client.Say(Set("small", 500000)) == "SERVER_ERROR out of memory storing object\r\n");
  CHECK(client.Say("get small\r\n") == "END\r\n");
}

TEST_CASE("a large value goes straight into its chunk") {
  Conversation client;
  const std::string value(300000, 'z');
  CHECK(client.Say("set k 0 0 300000\r\n" + value.substr(0, 100)).empty());
  CHECK(client.Say(value.substr(0, 299900 - 50)).empty());
  CHECK(client.direct_bytes == 299850);
  CHECK(client.Say(value.substr(0, 50) + "\r\nget k\r\n") == "STORED\r\n" + Found("k", value));
}

TEST_CASE("a large value's end may arrive together with the value") {
  Conversation client;
  CHECK(client.Say("set k 0 0 10000\r\n").empty());
  CHECK(client.Say(std::string(10000, 'z') + "\r\nversion\r\n") == "STORED\r\nVERSION 1.6.45\r\n");
  CHECK(client.direct_bytes == 10000);
}

TEST_CASE("a value that never comes whole is given back") {
  Conversation client;
  for (int i = 0; i < 200; ++i) {
    client.Say("set k 0 0 1000000\r\nabc");  // more than the cache holds, if they stayed
    client.Reconnect();
  }
  CHECK(client.Say(Set("k", 1000000)) == "STORED\r\n");
  CHECK(client.Stats()["curr_items"] == "1");
}

TEST_CASE("exptimes of all forms mean what memcached means by them") {
  Conversation client;
  client.PassSeconds(10);
  const std::string now = std::to_string(Conversation::kStartUnixSeconds + 10);
  const std::string soon = std::to_string(Conversation::kStartUnixSeconds + 15);
  struct Row {
    std::string exptime;
    bool found_now;
    bool found_after_10s;
  };
  for (const auto& [exptime, found_now, found_after_10s] : {
           Row{"0", true, true},
           Row{"-1", false, false},
           Row{"5", true, false},
           Row{"11", true, true},
           Row{"2592000", true, true},
           Row{"2592001", false, false},  // an absolute time of 1970
           Row{soon, true, false},
           Row{now, false, false},
           Row{"4294967296", true, true},
           Row{"2147483648", false, false},
       }) {
    INFO(exptime);
    CHECK(client.Say("set k 0 " + exptime + " 1\r\n1\r\n") == "STORED\r\n");
    CHECK((client.Say("get k\r\n") != "END\r\n") == found_now);
  }
  for (const std::string exptime : {"0", "5", "11"}) {
    client.Say("set k" + exptime + " 0 " + exptime + " 1\r\n1\r\n");
  }
  client.PassSeconds(10);
  CHECK(client.Say("get k0 k5 k11\r\n") == "VALUE k0 0 1\r\n1\r\nVALUE k11 0 1\r\n1\r\nEND\r\n");
}

TEST_CASE("a value that waits while half the memory waits is dropped, and the old item stays") {
  slab::CacheConfig config;
  config.limit_bytes = 8 * slab::kMiB;
  Conversation client({}, config);
  client.Say("set k 0 0 3\r\nold\r\n");
  std::vector<slab::Reservation> waiting;
  client.service->OnTurnStart();
  slab::Worker& other = client.cache->AddWorker();
  client.service->OnTurnEnd();
  client.cache->Online(other);
  for (int i = 0; i < 4; ++i) {
    waiting.push_back(client.cache->Reserve(other, {.key = "waits", .value_bytes = 1'000'000}));
    REQUIRE(client.cache->KeepUnderWay(waiting.back()));
  }
  client.cache->Offline(other);
  CHECK(client.Say("set k 0 0 1000000\r\nbeginning").empty());
  const std::string rest(1'000'000 - 9, 'r');
  CHECK(client.Say(rest + "\r\nget k\r\n") ==
        "SERVER_ERROR Out of memory during read\r\n" + Found("k", "old"));
  CHECK(client.Say("set small 0 0 2\r\nab\r\n") == "STORED\r\n");
  waiting.clear();
  CHECK(client.Say("set k 0 0 1000000\r\nbeginning").empty());
  CHECK(client.Say(rest + "\r\n") == "STORED\r\n");
}

}  // namespace
}  // namespace larder::server
