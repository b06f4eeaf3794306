// A bad client harms nobody: while each of them does its worst, a good client is served and the
// server's memory stays where it was.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/server/robustness/server_process.h"

namespace larder::server {
namespace {

// What a server may grow by for the sake of bad clients, beside the items it may hold anyway. A
// sanitizer keeps memory of its own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int64_t kGrowthKibMax = 512 * 1024;
#else
constexpr int64_t kGrowthKibMax = 12 * 1024;
#endif
constexpr int64_t kLimitKib = 64 * 1024;  // -m

struct Fixture {
  Fixture() { REQUIRE(good.IsServed()); }

  // A large item that all may read.
  void StoreLargeValue(size_t bytes) {
    TestClient client = server.Connect();
    REQUIRE(client.Send("set large 0 0 " + std::to_string(bytes) + "\r\n" +
                        std::string(bytes, 'x') + "\r\n"));
    REQUIRE(client.Read(8) == "STORED\r\n");
  }
  [[nodiscard]] int64_t GrowthKib() const { return server.ResidentKib() - kib_before; }
  void Settle() { kib_before = server.ResidentKib(); }

  ServerProcess server{{"-m", "64", "-t", "2", "-c", "12000"}};
  GoodClient good{server};
  int64_t kib_before = server.ResidentKib();
};

TEST_CASE_METHOD(Fixture, "half a command for ever") {
  std::vector<TestClient> clients;
  for (int i = 0; i < 500; ++i) {
    clients.push_back(server.Connect());
    REQUIRE(clients.back().Send(i % 2 == 0 ? "get half_a_k" : "set half 0 0 1"));
    if (i % 50 == 0) REQUIRE(good.IsServed());
  }
  CHECK(good.IsServed());
  CHECK(GrowthKib() < kGrowthKibMax);
  CHECK(server.Stat("curr_connections") == 500 + 2);
  // None of them was forgotten: the other half of the command is answered.
  REQUIRE(clients.front().Send("ey\r\n"));
  CHECK(clients.front().Read(5) == "END\r\n");
}

TEST_CASE_METHOD(Fixture, "a command that arrives byte by byte from many at once") {
  const std::string command = "set slow 0 0 10\r\n0123456789\r\n";
  std::vector<TestClient> clients;
  clients.reserve(50);
  for (int i = 0; i < 50; ++i) clients.push_back(server.Connect());
  for (const char byte : command) {
    for (TestClient& client : clients) REQUIRE(client.Send({&byte, 1}));
    REQUIRE(good.IsServed());
  }
  for (TestClient& client : clients) CHECK(client.Read(8) == "STORED\r\n");
}

TEST_CASE_METHOD(Fixture, "a megabyte without a newline") {
  for (int round = 0; round < 10; ++round) {
    TestClient client = server.Connect();
    // The server may close before it has seen all, so a failed send is no failure.
    client.Send(std::string(1024 * 1024, 'x'));
    CHECK(client.SeesEnd());
    REQUIRE(good.IsServed());
  }
  CHECK(GrowthKib() < kGrowthKibMax);
}

TEST_CASE_METHOD(Fixture, "a get without an end is cut off somewhere") {
  TestClient client = server.Connect();
  client.Send("get ");
  const std::string keys(100'000, 'k');
  size_t sent_bytes = 0;
  while (sent_bytes < 200'000'000 && client.Send(keys)) sent_bytes += keys.size();
  CHECK(sent_bytes < 200'000'000);
  CHECK(client.SeesEnd());
  CHECK(good.IsServed());
  CHECK(Eventually([&] { return GrowthKib() < kGrowthKibMax; }));
}

TEST_CASE_METHOD(Fixture, "a value that never comes") {
  std::vector<TestClient> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(server.Connect());
    REQUIRE(clients.back().Send("set never" + std::to_string(i) + " 0 0 500000\r\nbut a bit"));
    REQUIRE(good.IsServed());
  }
  CHECK(server.Stat("curr_items") < 20);
  // What they had reserved comes back when they go.
  clients.clear();
  REQUIRE(Eventually([&] { return server.Stat("curr_connections") == 2; }));
  for (int round = 0; round < 200; ++round) {
    TestClient client = server.Connect();
    REQUIRE(client.Send("set never 0 0 500000\r\n" + std::string(100'000, 'n')));
    client.Reset();
  }
  CHECK(good.IsServed());
  StoreLargeValue(500'000);
  CHECK(server.ResidentKib() < kLimitKib + kGrowthKibMax);
}

TEST_CASE_METHOD(Fixture, "many values that never come do not take the cache from the others") {
  REQUIRE(good.IsServed());
  std::vector<TestClient> clients;
  for (int i = 0; i < 300; ++i) {
    clients.push_back(server.Connect());
    REQUIRE(clients.back().Send("set never" + std::to_string(i) + " 0 0 1000000\r\nxx"));
  }
  REQUIRE(good.IsServed());
  for (const size_t bytes : {size_t{3'000}, size_t{20'000}, size_t{60'000}}) StoreLargeValue(bytes);
  // Once they are gone there is room for the largest again.
  clients.clear();
  REQUIRE(Eventually([&] { return server.Stat("curr_connections") == 2; }));
  StoreLargeValue(900'000);
  CHECK(server.ResidentKib() < kLimitKib + kGrowthKibMax);
}

TEST_CASE_METHOD(Fixture, "ten thousand connections opened and dropped") {
  for (int round = 0; round < 40; ++round) {
    std::vector<TestClient> chunk;
    chunk.reserve(250);
    for (int i = 0; i < 250; ++i) chunk.push_back(server.Connect());
    for (size_t i = 0; i < chunk.size(); i += 2) chunk[i].Send("get a\r\nset b 0 0 10\r\n01");
    for (size_t i = 0; i < chunk.size(); i += 5) chunk[i].Reset();
    REQUIRE(good.IsServed());
  }
  CHECK(Eventually([&] { return server.Stat("curr_connections") == 2; }));
  CHECK(server.Stat("total_connections") >= 10'000);
  CHECK(GrowthKib() < kGrowthKibMax);
}

TEST_CASE_METHOD(Fixture, "a reset in the middle of a large reply") {
  StoreLargeValue(1'000'000);
  Settle();
  for (int round = 0; round < 100; ++round) {
    TestClient client = server.Connect(/*receive_buffer_bytes=*/8192);
    std::string request = "get large\r\n";
    for (int i = 0; i < 5; ++i) request += request;
    REQUIRE(client.Send(request));
    REQUIRE(client.Read(5000).size() == 5000);
    client.Reset();
    REQUIRE(good.IsServed());
  }
  CHECK(GrowthKib() < kGrowthKibMax);
  // No pin was left behind: the value can be replaced many times over in a small cache.
  for (int i = 0; i < 200; ++i) StoreLargeValue(900'000);
  CHECK(server.ResidentKib() < kLimitKib + kGrowthKibMax);
}

TEST_CASE_METHOD(Fixture, "a client that asks and never reads") {
  StoreLargeValue(10'000);
  Settle();
  std::vector<TestClient> clients;
  std::string requests;
  for (int i = 0; i < 2000; ++i) requests += "get large\r\n";
  for (int i = 0; i < 10; ++i) {
    clients.push_back(server.Connect(/*receive_buffer_bytes=*/4096));
    for (int k = 0; k < 200; ++k) clients.back().SendSome(requests);
    REQUIRE(good.IsServed());
  }
  CHECK(good.IsServed());
  CHECK(GrowthKib() < kGrowthKibMax);
  // Those who read after all get what they asked for.
  CHECK(clients.front().Read(1'000'000).size() == 1'000'000);
}

TEST_CASE("clients above the limit are sent away, and the server lives on") {
  ServerProcess server({"-c", "50"});
  GoodClient good(server);
  REQUIRE(good.IsServed());
  std::vector<TestClient> clients;
  for (int i = 0; i < 49; ++i) {
    clients.push_back(server.Connect());
    REQUIRE(clients.back().Send("version\r\n"));
    REQUIRE(clients.back().Read(7) == "VERSION");
  }
  for (int i = 0; i < 500; ++i) {
    CHECK(server.Connect().ReadToEnd() == "ERROR Too many open connections\r\n");
  }
  CHECK(good.IsServed());
  clients.clear();
  CHECK(Eventually([&] { return server.Stat("rejected_connections") >= 500; }));
}

}  // namespace
}  // namespace larder::server
