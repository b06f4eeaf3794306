#include <string>

#include <catch2/catch.hpp>

#include "tests/server/commands/conversation.h"

namespace larder::server {
namespace {

const std::string kNonNumeric = "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n";

TEST_CASE("delete takes a key away once") {
  Conversation client;
  client.Say("set k 0 0 1\r\n1\r\n");
  CHECK(client.Say("delete k 10\r\n") == "DELETED\r\n");
  CHECK(client.Say("delete k\r\n") == "NOT_FOUND\r\n");
  CHECK(client.Say("delete k noreply\r\n").empty());
  auto stats = client.Stats();
  CHECK(stats["delete_hits"] == "1");
  CHECK(stats["delete_misses"] == "2");
}

TEST_CASE("delete noreply silently deletes the key of that name") {
  Conversation client;
  client.Say("set noreply 0 0 1\r\n1\r\n");
  CHECK(client.Say("delete noreply\r\nget noreply\r\n") == "END\r\n");
}

TEST_CASE("incr wraps at 64 bits and decr stops at zero") {
  Conversation client;
  client.Say("set k 0 0 20\r\n18446744073709551615\r\n");
  CHECK(client.Say("incr k 3\r\n") == "2\r\n");
  CHECK(client.Say("decr k 1\r\n") == "1\r\n");
  CHECK(client.Say("decr k 5\r\n") == "0\r\n");
  CHECK(client.Say("incr k 18446744073709551615\r\n") == "18446744073709551615\r\n");
}

TEST_CASE("a number that gets shorter is padded with spaces") {
  Conversation client;
  client.Say("set k 6 0 2\r\n10\r\n");
  CHECK(client.Say("decr k 1\r\nget k\r\n") == "9\r\nVALUE k 6 2\r\n9 \r\nEND\r\n");
  CHECK(client.Say("incr k 991\r\nget k\r\n") == "1000\r\nVALUE k 6 4\r\n1000\r\nEND\r\n");
}

TEST_CASE("what counts as a number is what memcached takes for one") {
  struct Row {
    std::string value;
    std::string answer;
  };
  using namespace std::string_literals;
  for (const auto& [value, answer] : {
           Row{"12", "13\r\n"},
           Row{"  12", "13\r\n"},
           Row{"+12", "13\r\n"},
           Row{"0012", "13\r\n"},
           Row{"-0", "1\r\n"},
           Row{"12 abc", "13\r\n"},
           Row{"12\0abc"s, "13\r\n"},
           Row{"12abc", kNonNumeric},
           Row{"-5", kNonNumeric},
           Row{"", kNonNumeric},
           Row{"18446744073709551616", kNonNumeric},
       }) {
    INFO(value);
    Conversation client;
    client.Say("set k 0 0 " + std::to_string(value.size()) + "\r\n" + value + "\r\n");
    CHECK(client.Say("incr k 1\r\n") == answer);
  }
}

TEST_CASE("incr and decr change the CAS unique and count hits and misses") {
  Conversation client;
  client.Say("set k 0 0 1\r\n1\r\n");
  CHECK(client.Say("incr x 1\r\n") == "NOT_FOUND\r\n");
  CHECK(client.Say("decr x 1\r\n") == "NOT_FOUND\r\n");
  CHECK(client.Say("incr k 1\r\ndecr k 1 noreply\r\n") == "2\r\n");
  CHECK(client.Say("incr k x\r\n") == "CLIENT_ERROR invalid numeric delta argument\r\n");
  CHECK(client.Say("gets k\r\n") == "VALUE k 0 1 4\r\n1\r\nEND\r\n");
  auto stats = client.Stats();
  CHECK(stats["incr_hits"] == "1");
  CHECK(stats["incr_misses"] == "1");
  CHECK(stats["decr_hits"] == "1");
  CHECK(stats["decr_misses"] == "1");
}

TEST_CASE("touch moves the expiry and nothing else") {
  Conversation client;
  client.Say("set k 0 5 1\r\n1\r\n");
  CHECK(client.Say("touch k 20\r\ntouch x 20\r\ntouch k 20 noreply\r\n") ==
        "TOUCHED\r\nNOT_FOUND\r\n");
  client.PassSeconds(10);
  CHECK(client.Say("gets k\r\n") == "VALUE k 0 1 2\r\n1\r\nEND\r\n");
  client.PassSeconds(10);
  CHECK(client.Say("get k\r\n") == "END\r\n");
  auto stats = client.Stats();
  CHECK(stats["touch_hits"] == "2");
  CHECK(stats["touch_misses"] == "1");
}

}  // namespace
}  // namespace larder::server
