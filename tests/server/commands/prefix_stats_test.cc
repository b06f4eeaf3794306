#include "server/commands/prefix_stats.h"

#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/server/commands/conversation.h"

namespace larder::server {
namespace {

std::set<std::string> Lines(const std::string& text) {
  std::set<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.insert(line);
  return lines;
}

TEST_CASE("keys are counted by what stands before the first delimiter") {
  Live<bool> is_on;
  is_on.Set(true);
  PrefixStats prefixes(is_on, ':');
  PrefixTable& table = prefixes.AddWorkerTable();
  table.CountGet("user:1", true);
  table.CountGet("user:2:x", false);
  table.CountSet("user:3");
  table.CountDelete("page:1");
  table.CountDelete("page:");
  table.CountSet(":nameless");
  table.CountSet("none");
  CHECK(Lines(prefixes.Dump()) == std::set<std::string>{"PREFIX user get 2 hit 1 set 1 del 0\r",
                                                        "PREFIX page get 0 hit 0 set 0 del 2\r",
                                                        "PREFIX  get 0 hit 0 set 1 del 0\r",
                                                        "END\r"});
}

TEST_CASE("what workers counted apart is shown together") {
  Live<bool> is_on;
  is_on.Set(true);
  PrefixStats prefixes(is_on, '.');
  prefixes.AddWorkerTable().CountSet("a.1");
  prefixes.AddWorkerTable().CountGet("a.1", true);
  prefixes.AddWorkerTable().CountGet("b.1", false);
  CHECK(Lines(prefixes.Dump()) == std::set<std::string>{"PREFIX a get 1 hit 1 set 1 del 0\r",
                                                        "PREFIX b get 1 hit 0 set 0 del 0\r",
                                                        "END\r"});
}

TEST_CASE("nothing is counted while it is off, and what was counted stays") {
  Live<bool> is_on;
  PrefixStats prefixes(is_on, ':');
  PrefixTable& table = prefixes.AddWorkerTable();
  table.CountSet("a:1");
  CHECK(prefixes.Dump() == "END\r\n");
  is_on.Set(true);
  table.CountSet("a:1");
  is_on.Set(false);
  table.CountSet("a:1");
  CHECK(prefixes.Dump() == "PREFIX a get 0 hit 0 set 1 del 0\r\nEND\r\n");
  prefixes.Reset();
  CHECK(prefixes.Dump() == "END\r\n");
  is_on.Set(true);
  table.CountDelete("a:1");
  CHECK(prefixes.Dump() == "PREFIX a get 0 hit 0 set 0 del 1\r\nEND\r\n");
}

TEST_CASE("a table takes so many prefixes and no more") {
  Live<bool> is_on;
  is_on.Set(true);
  PrefixStats prefixes(is_on, ':');
  PrefixTable& table = prefixes.AddWorkerTable();
  for (size_t i = 0; i < PrefixTable::kPrefixesMax + 10; ++i) {
    table.CountSet(std::to_string(i) + ":");
  }
  table.CountSet("0:");  // one that is known still counts
  const auto lines = Lines(prefixes.Dump());
  CHECK(lines.size() == PrefixTable::kPrefixesMax + 1);
  CHECK(lines.count("PREFIX 0 get 0 hit 0 set 2 del 0\r") == 1);
}

TEST_CASE(
    "a look shows a stretch of all tables together, in order, and the next goes on behind it") {
  constexpr size_t kPrefixes = 2 * PrefixTable::kPrefixesPerLook + 7;
  Live<bool> is_on;
  is_on.Set(true);
  PrefixStats prefixes(is_on, ':');
  PrefixTable& one = prefixes.AddWorkerTable();
  PrefixTable& other = prefixes.AddWorkerTable();
  const auto key = [](size_t i) { return std::to_string(10'000 + i) + ":"; };
  for (size_t i = 0; i < kPrefixes; ++i) {
    if (i % 3 != 0) one.CountSet(key(i));
    if (i % 3 != 1) other.CountGet(key(i), true);
  }

  PrefixCursor cursor;
  std::vector<size_t> line_counts;
  std::string all;
  for (bool is_more = true; is_more;) {
    std::string text;
    is_more = prefixes.AppendStretch(cursor, text);
    line_counts.push_back(Lines(text).size());
    all += text;
    if (is_more) one.CountSet("0:");  // behind the cursor: not for this dump
  }
  CHECK(line_counts ==
        std::vector<size_t>{PrefixTable::kPrefixesPerLook, PrefixTable::kPrefixesPerLook, 7});
  std::string expected;
  for (size_t i = 0; i < kPrefixes; ++i) {
    const int gets = i % 3 != 1 ? 1 : 0;
    const int sets = i % 3 != 0 ? 1 : 0;
    expected += "PREFIX " + std::to_string(10'000 + i) + " get " + std::to_string(gets) + " hit " +
                std::to_string(gets) + " set " + std::to_string(sets) + " del 0\r\n";
  }
  CHECK(all == expected);
}

TEST_CASE("an empty prefix and one that fills the last stretch are shown once") {
  Live<bool> is_on;
  is_on.Set(true);
  PrefixStats prefixes(is_on, ':');
  PrefixTable& table = prefixes.AddWorkerTable();
  table.CountSet(":");
  for (size_t i = 1; i < PrefixTable::kPrefixesPerLook; ++i)
    table.CountSet(std::to_string(i) + ":");
  PrefixCursor cursor;
  std::string text;
  CHECK(prefixes.AppendStretch(cursor, text));
  CHECK_FALSE(prefixes.AppendStretch(cursor, text));
  CHECK(Lines(text).size() == PrefixTable::kPrefixesPerLook);
  CHECK(text.starts_with("PREFIX  get 0 hit 0 set 1 del 0\r\n"));
}

TEST_CASE("stats detail is switched on and off, and shown") {
  Conversation client;
  const std::string usage = "CLIENT_ERROR usage: stats detail on|off|dump\r\n";
  CHECK(client.Say("stats detail\r\n") == usage);
  CHECK(client.Say("stats detail foo\r\n") == usage);
  CHECK(client.Say("stats detail dump\r\n") == "END\r\n");
  CHECK(client.Say("stats d on\r\n") == "OK\r\n");
  CHECK(client.server.live.detail_enabled.Get());
  CHECK(client.Say("stats detail off foo\r\n") == "OK\r\n");
  CHECK_FALSE(client.server.live.detail_enabled.Get());

  Conversation secret(CommandOptions{.dump_enabled = false});
  CHECK(secret.Say("stats detail\r\n") == "CLIENT_ERROR stats detail not allowed\r\n");
}

TEST_CASE("gets, sets and deletes are counted, whatever comes of them; nothing else is") {
  Conversation client;
  client.Say("stats detail on\r\n");
  client.Say("set a:1 0 0 1\r\n1\r\nadd a:1 0 0 1\r\n1\r\nset a:2 0 0 2000000\r\n" +
             std::string(2'000'002, 'x'));
  client.Say("get a:1 a:9\r\ngets a:1\r\ngat 0 a:1 b:1\r\n");
  client.Say("delete a:1\r\ndelete a:1\r\n");
  client.Say("incr c:1 1\r\ntouch d:1 0\r\nmg e:1 v\r\nms f:1 1\r\n1\r\nmd g:1\r\nma h:1\r\n");
  CHECK(Lines(client.Say("stats detail dump\r\n")) ==
        std::set<std::string>{"PREFIX a get 4 hit 3 set 3 del 2\r",
                              "PREFIX b get 1 hit 0 set 0 del 0\r", "END\r"});
  client.Say("stats reset\r\n");
  CHECK(client.Say("stats detail dump\r\n") == "END\r\n");
}

TEST_CASE("a dump and a reset while workers count", "[stress]") {
  constexpr int kWorkers = 3;
  constexpr int kCounts = 100'000;
  Live<bool> is_on;
  is_on.Set(true);
  PrefixStats prefixes(is_on, ':');
  std::vector<std::thread> workers;
  for (int i = 0; i < kWorkers; ++i) {
    workers.emplace_back([&table = prefixes.AddWorkerTable()] {
      for (int n = 0; n < kCounts; ++n) table.CountSet(std::to_string(n % 500) + ":x");
    });
  }
  for (int i = 0; i < 20; ++i) {
    CHECK(prefixes.Dump().ends_with("END\r\n"));
    prefixes.Reset();
  }
  for (std::thread& worker : workers) worker.join();
  prefixes.Reset();
  CHECK(prefixes.Dump() == "END\r\n");
}

}  // namespace
}  // namespace larder::server
