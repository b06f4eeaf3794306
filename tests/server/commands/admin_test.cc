#include <string>

#include <catch2/catch.hpp>

#include "tests/server/commands/conversation.h"

namespace larder::server {
namespace {

const std::string kHit = "VALUE k 0 1\r\n1\r\nEND\r\n";
const std::string kStore = "set k 0 0 1 noreply\r\n1\r\n";

TEST_CASE("flush_all takes what was stored before it and spares what is stored after") {
  Conversation client;
  client.PassSeconds(5);
  CHECK(client.Say(kStore + "flush_all\r\nget k\r\n") == "OK\r\nEND\r\n");
  CHECK(client.Say(kStore + "get k\r\n") == kHit);
  CHECK(client.Say("flush_all -5\r\nget k\r\n") == "OK\r\nEND\r\n");
  CHECK(client.Say(kStore + "flush_all 0 noreply\r\nget k\r\n") == "END\r\n");
  CHECK(client.Stats()["cmd_flush"] == "3");
}

TEST_CASE("flush_all 1 acts at once, on this second's stores, too") {
  Conversation client;
  client.PassSeconds(5);
  CHECK(client.Say(kStore + "flush_all 1\r\nget k\r\n" + kStore + "get k\r\n") ==
        "OK\r\nEND\r\nEND\r\n");
  client.PassSeconds(1);
  CHECK(client.Say(kStore + "get k\r\n") == kHit);
}

TEST_CASE("a delayed flush acts one second early") {
  Conversation client;
  client.PassSeconds(5);
  CHECK(client.Say(kStore + "flush_all 3\r\nget k\r\n") == "OK\r\n" + kHit);
  client.PassSeconds(1);
  CHECK(client.Say("get k\r\n") == kHit);
  client.PassSeconds(1);
  CHECK(client.Say("get k\r\n") == "END\r\n");
}

TEST_CASE("a later flush_all replaces a pending one, a time before the start cancels it") {
  Conversation client;
  client.PassSeconds(5);
  client.Say(kStore + "flush_all 3\r\nflush_all 100\r\n");
  client.PassSeconds(10);
  CHECK(client.Say("get k\r\n") == kHit);
  const std::string before_start = std::to_string(Conversation::kStartUnixSeconds - 1000);
  CHECK(client.Say("flush_all 3\r\nflush_all " + before_start + "\r\n") == "OK\r\nOK\r\n");
  client.PassSeconds(10);
  CHECK(client.Say("get k\r\n") == kHit);
}

TEST_CASE("flush_all looks at its argument, unless flushing is not allowed") {
  Conversation client;
  CHECK(client.Say("flush_all x\r\n") == "CLIENT_ERROR invalid exptime argument\r\n");
  CHECK(client.Say("flush_all noreply x\r\n") == "CLIENT_ERROR invalid exptime argument\r\n");

  Conversation guarded(CommandOptions{.flush_enabled = false});
  CHECK(guarded.Say(kStore + "flush_all x\r\nget k\r\n") ==
        "CLIENT_ERROR flush_all not allowed\r\n" + kHit);
  CHECK(guarded.Say("flush_all noreply\r\n").empty());
  CHECK(guarded.Stats()["cmd_flush"] == "2");
}

TEST_CASE("verbosity is passed on, up to 2") {
  Conversation client;
  CHECK(client.Say("verbosity 1\r\n") == "OK\r\n");
  CHECK(client.server.verbosity == 1);
  CHECK(client.Say("verbosity 4294967295 noreply\r\n").empty());
  CHECK(client.server.verbosity == 2);
  CHECK(client.Say("verbosity\r\n") == "CLIENT_ERROR bad command line format\r\n");
  CHECK(client.server.verbosity == 2);
}

TEST_CASE("version ignores what follows it") {
  Conversation client;
  CHECK(client.Say("version foo noreply\r\n") == "VERSION 1.6.45\r\n");
}

}  // namespace
}  // namespace larder::server
