// Clients that do nothing, against the real binary: who is disconnected for it, and who is not.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/robustness/server_process.h"

namespace larder::server {
namespace {

TEST_CASE("idle clients go, in whatever state they are, and are counted") {
  ServerProcess server({"-o", "idle_timeout=1"});
  TestClient silent = server.Connect();
  TestClient half_a_command = server.Connect();
  REQUIRE(half_a_command.Send("get half_a_k"));
  TestClient half_a_value = server.Connect();
  REQUIRE(half_a_value.Send("set half 0 0 100000\r\nbut a bit"));
  TestClient half_a_packet = server.Connect();
  REQUIRE(half_a_packet.Send("\x80\x01"));
  for (TestClient* client : {&silent, &half_a_command, &half_a_value, &half_a_packet}) {
    CHECK(client->SeesEnd());
  }
  CHECK(server.Stat("idle_kicks") == 4);
  CHECK(Eventually([&] { return server.Stat("curr_connections") == 1; }));  // who asks
}

TEST_CASE("a watcher who hears nothing for long is not idle") {
  ServerProcess server({"-o", "idle_timeout=1"});
  TestClient watcher = server.Connect();
  REQUIRE(watcher.Send("watch evictions\r\n"));
  REQUIRE(watcher.Read(4) == "OK\r\n");
  for (int round = 0; round < 2; ++round) CHECK(server.Connect().SeesEnd());
  CHECK_FALSE(watcher.HasInput(std::chrono::milliseconds(0)));  // neither a line nor the end
}

TEST_CASE("a watcher who leaves is forgotten, and his place is free at once") {
  ServerProcess server;
  for (int round = 0; round < 100; ++round) {  // five times as many as may watch at a time
    TestClient watcher = server.Connect();
    REQUIRE(watcher.Send("watch evictions\r\n"));
    REQUIRE(watcher.Read(4) == "OK\r\n");
    if (round % 2 == 0) watcher.Reset();
    watcher.Close();
    REQUIRE(Eventually([&] { return server.Stat("curr_connections") == 1; }));
  }
}

TEST_CASE("who has sent all it wanted to ask gets a whole dump") {
  ServerProcess server;
  TestClient storing = server.Connect();
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(storing.Send("set key" + std::to_string(i) + " 0 0 1\r\nx\r\n"));
    REQUIRE(storing.Read(8) == "STORED\r\n");
  }
  TestClient client = server.Connect();
  REQUIRE(client.Send("lru_crawler metadump all\r\n"));
  client.FinishSending();
  const std::string dump = client.ReadToEnd();
  CHECK(std::count(dump.begin(), dump.end(), '\n') >= 1000);
  CHECK(dump.ends_with("END\r\n"));
}

TEST_CASE("clients without end who watch and leave do not wear the server down") {
  ServerProcess server({"-t", "2"});
  GoodClient good(server);
  REQUIRE(good.IsServed());
  [[maybe_unused]] const int64_t kib_before = server.ResidentKib();
  for (int round = 0; round < 50; ++round) {
    std::vector<TestClient> clients;
    for (int i = 0; i < 20; ++i) {
      clients.push_back(server.Connect());
      REQUIRE(clients.back().Send(i % 2 == 0 ? "watch mutations fetchers\r\n"
                                             : "lru_crawler metadump all\r\n"));
    }
    REQUIRE(good.IsServed());
    for (size_t i = 0; i < clients.size(); i += 3) clients[i].Reset();
  }
  CHECK(Eventually([&] { return server.Stat("curr_connections") == 2; }));
  CHECK(good.IsServed());
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(server.ResidentKib() - kib_before < 24 * 1024);
#endif
}

}  // namespace
}  // namespace larder::server
