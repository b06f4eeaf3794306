// The server's own figures of how long its clients waited, from the sockets to `stats larder`.
#include <catch2/catch.hpp>
#include <map>
#include <sstream>
#include <string>

#include "tests/server/robustness/server_process.h"

namespace larder::server {
namespace {

std::map<std::string, std::string> LarderStats(TestClient& client) {
  REQUIRE(client.Send("stats larder\r\n"));
  std::string text;
  while (!text.ends_with("END\r\n")) {
    const std::string byte = client.Read(1);
    REQUIRE(!byte.empty());
    text += byte;
  }
  std::map<std::string, std::string> stats;
  std::istringstream words(text);
  std::string key;
  std::string value;
  while (words >> key >> key >> value) stats[key] = value;
  return stats;
}

// On one connection, so that a worker has counted what it has answered when it reads on.
TEST_CASE("the latencies of all requests are told, and a reset begins them anew") {
  const ServerProcess server;
  TestClient client = server.Connect();
  for (int i = 0; i < 100; ++i) REQUIRE(client.Ask("mn\r\n") == "MN\r\n");
  auto stats = LarderStats(client);
  CHECK(stats["latency_requests"] == "100");
  const double p50_us = std::stod(stats["latency_p50_us"]);
  const double p99_us = std::stod(stats["latency_p99_us"]);
  const double p999_us = std::stod(stats["latency_p999_us"]);
  const double max_us = std::stod(stats["latency_max_us"]);
  CHECK(0 < p50_us);
  CHECK(p50_us <= p99_us);
  CHECK(p99_us <= p999_us);
  CHECK(p999_us <= max_us);
  CHECK(std::stoull(stats["turn_count"]) >= 100);
  CHECK(std::stod(stats["turn_p99_us"]) <= std::stod(stats["turn_p999_us"]));
  CHECK(std::stod(stats["turn_max_us"]) >= max_us);

  REQUIRE(client.Send("stats reset\r\n"));
  REQUIRE(client.Read(7) == "RESET\r\n");
  stats = LarderStats(client);
  CHECK(stats["latency_requests"] == "1");  // the one that has reset them
  CHECK(stats["latency_p50_us"] == stats["latency_max_us"]);
}

}  // namespace
}  // namespace larder::server
