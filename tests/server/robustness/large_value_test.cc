// Values above 1 MiB over the wire: they wait for memory, and nobody else waits for them.
#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/robustness/server_process.h"

namespace larder::server {
namespace {

std::string Pattern(size_t bytes, uint32_t seed) {
  std::string text(bytes, '\0');
  for (char& c : text) {
    seed = seed * 1664525 + 1013904223;
    c = static_cast<char>('a' + (seed >> 24) % 26);
  }
  return text;
}

std::string SetLine(const std::string& key, size_t bytes) {
  return "set " + key + " 0 0 " + std::to_string(bytes) + "\r\n";
}

std::string Store(TestClient& client, const std::string& key, const std::string& value) {
  if (!client.Send(SetLine(key, value.size()) + value + "\r\n")) return "cannot send";
  return client.Read(8);
}

// Not compared in an assertion, which would print megabytes.
bool Holds(TestClient& client, const std::string& key, const std::string& value) {
  const std::string header = "VALUE " + key + " 0 " + std::to_string(value.size()) + "\r\n";
  if (!client.Send("get " + key + "\r\n") || client.Read(header.size()) != header) return false;
  return client.Read(value.size()) == value && client.Read(7) == "\r\nEND\r\n";
}

// A cache full of small items, so that every large value needs room to be made.
struct Fixture {
  Fixture() {
    TestClient client = server.Connect();
    const std::string small(1'000, 's');
    std::string batch;
    for (uint64_t i = 0; i < limit_mb * 1'100; ++i) {
      batch += "set small" + std::to_string(i) + " 0 0 1000 noreply\r\n" + small + "\r\n";
      if (i % 100 != 0) continue;
      REQUIRE(client.Send(batch));
      batch.clear();
    }
    REQUIRE(client.Ask("mn\r\n") == "MN\r\n");
    REQUIRE(server.Stat("evictions") > 0);
  }

  // The size of values; of the memory, ten of them are a little less than half.
  static uint64_t ValueMb() {
    const char* const wanted = std::getenv("LARDER_LARGE_VALUE_MB");
    return wanted == nullptr ? 6 : std::strtoull(wanted, nullptr, 10);
  }
  const uint64_t limit_mb = ValueMb() * 20 + 48;
  ServerProcess server{
      {"-m", std::to_string(limit_mb), "-I", std::to_string(limit_mb / 2) + "m", "-t", "2"}};
  const uint64_t value_bytes = ValueMb() * 1'000'000;
};

// A client that goes on all the time with small requests.
class SmallTraffic {
 public:
  explicit SmallTraffic(const ServerProcess& server)
      : client_(server.Connect()), thread_([this] { Run(); }) {}
  ~SmallTraffic() { Stop(); }

  void Stop() {
    is_over_ = true;
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] int FailureCount() const { return failure_count_; }
  [[nodiscard]] std::string Describe() {
    std::sort(latencies_us_.begin(), latencies_us_.end());
    const size_t count = latencies_us_.size();
    return std::to_string(count) + " small requests, median " +
           std::to_string(latencies_us_[count / 2]) + " us, of 1000 the slowest " +
           std::to_string(latencies_us_[count - 1 - count / 1000]) + " us, slowest " +
           std::to_string(latencies_us_.back()) + " us";
  }

 private:
  void Run() {
    using Clock = std::chrono::steady_clock;
    const std::string request = "set busy 0 0 100\r\n" + std::string(100, 'b') + "\r\nmn\r\n";
    while (!is_over_) {
      const auto start = Clock::now();
      if (!client_.Send(request) || client_.Read(12) != "STORED\r\nMN\r\n") ++failure_count_;
      const auto passed =
          std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
      latencies_us_.push_back(passed.count());
    }
  }

  TestClient client_;
  std::atomic<bool> is_over_{false};
  std::atomic<int> failure_count_{0};
  std::vector<int64_t> latencies_us_;
  std::thread thread_;
};

TEST_CASE("ten clients store very large values at once into a full cache, and small ones go on") {
  Fixture fixture;
  const std::string value = Pattern(fixture.value_bytes, 1);
  SmallTraffic traffic(fixture.server);
  std::atomic<int> stored{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 10; ++i) {
    clients.emplace_back([&, i] {
      TestClient client = fixture.server.Connect();
      const std::string key = "large" + std::to_string(i);
      if (Store(client, key, value) == "STORED\r\n" && Holds(client, key, value)) {
        ++stored;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  traffic.Stop();
  CHECK(stored == 10);
  CHECK(traffic.FailureCount() == 0);
  CHECK(fixture.server.Stat("store_no_memory") == 0);
  WARN(traffic.Describe());
}

TEST_CASE("a small request is answered between two slices of a large append, by the same worker") {
  ServerProcess server{{"-m", "256", "-I", "64m", "-t", "1"}};
  TestClient client = server.Connect();
  TestClient other = server.Connect();
  const std::string value = Pattern(48'000'000, 4);
  REQUIRE(Store(client, "k", value) == "STORED\r\n");
  REQUIRE(server.Stat("conn_yields") == 0);
  // The old size is answered as long as the append is not.
  const std::string old_size = "HD s" + std::to_string(value.size()) + "\r\n";
  REQUIRE(client.Send("append k 0 0 3\r\nend\r\n"));
  int answered_before = 0;
  while (other.Send("mg k s\r\n") && other.Read(old_size.size()) == old_size) ++answered_before;
  CHECK(client.Read(8) == "STORED\r\n");
  CHECK(answered_before > 0);
  CHECK(server.Stat("conn_yields") == 48'000'000 / (256 * 1024));
  CHECK(Holds(client, "k", value + "end"));
}

TEST_CASE("clients that append to large values at once are all served, and small requests go on") {
  ServerProcess server{{"-m", "256", "-I", "32m", "-t", "2"}};
  const std::string value = Pattern(6'000'000, 5);
  SmallTraffic traffic(server);
  std::atomic<int> stored{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([&, i] {
      TestClient client = server.Connect();
      const std::string key = "grows" + std::to_string(i);
      const std::string append =
          "append " + key + " 0 0 " + std::to_string(value.size()) + "\r\n" + value + "\r\n";
      if (Store(client, key, value) != "STORED\r\n" || !client.Send(append)) return;
      if (client.Read(8) == "STORED\r\n" && Holds(client, key, value + value)) ++stored;
    });
  }
  for (std::thread& client : clients) client.join();
  traffic.Stop();
  CHECK(stored == 6);
  CHECK(traffic.FailureCount() == 0);
  CHECK(server.Stat("store_no_memory") == 0);
  WARN(traffic.Describe());
}

TEST_CASE("a client that goes away while its value is awaited or under way leaves nothing behind") {
  Fixture fixture;
  std::vector<TestClient> clients;
  for (int i = 0; i < 14; ++i) {
    clients.push_back(fixture.server.Connect());
    REQUIRE(clients.back().Send(SetLine("gone", fixture.value_bytes) + "the beginning"));
  }
  for (TestClient& client : clients) client.Close();
  TestClient client = fixture.server.Connect();
  const std::string value = Pattern(fixture.value_bytes, 2);
  CHECK(Store(client, "stays", value) == "STORED\r\n");
  CHECK(Holds(client, "stays", value));
  CHECK(client.Ask("get gone\r\n").substr(0, 5) == "END\r\n");
}

TEST_CASE(
    "very large values come back whole in every protocol, and what follows them is answered") {
  Fixture fixture;
  TestClient client = fixture.server.Connect();
  const std::string value = Pattern(fixture.value_bytes, 3);
  const std::string size = std::to_string(value.size());
  SECTION("text, by one who has said all he wanted") {
    REQUIRE(client.Send(SetLine("k", value.size()) + value + "\r\nget nothing\r\n"));
    client.FinishSending();
    CHECK(client.ReadToEnd() == "STORED\r\nEND\r\n");
    TestClient other = fixture.server.Connect();
    CHECK(Holds(other, "k", value));
  }
  SECTION("meta, with flags of its own") {
    REQUIRE(client.Send("ms k " + size + " k O123 s\r\n" + value + "\r\nmn\r\n"));
    const std::string answer = "HD kk O123 s" + size + "\r\nMN\r\n";
    CHECK(client.Read(answer.size()) == answer);
    CHECK(Holds(client, "k", value));
  }
  SECTION("noreply, and quiet") {
    REQUIRE(client.Send("set k 0 0 " + size + " noreply\r\n" + value + "\r\nms m " + size +
                        " q\r\n" + value + "\r\nmn\r\n"));
    CHECK(client.Read(4) == "MN\r\n");
    CHECK(Holds(client, "m", value));
  }
  SECTION("append and prepend") {
    REQUIRE(Store(client, "k", value) == "STORED\r\n");
    REQUIRE(client.Send("append k 0 0 3\r\nend\r\nprepend k 0 0 5\r\nbegin\r\n"));
    CHECK(client.Read(16) == "STORED\r\nSTORED\r\n");
    CHECK(Holds(client, "k", "begin" + value + "end"));
  }
  SECTION("binary") {
    const auto body = static_cast<uint32_t>(value.size() + 9);
    std::string packet = {'\x80', 1, 0, 1, 8, 0, 0, 0};
    for (int shift = 24; shift >= 0; shift -= 8) packet += static_cast<char>(body >> shift);
    packet += std::string(12, '\0') + std::string(8, '\0') + "k";
    REQUIRE(client.Send(packet + value));
    const std::string answer = client.Read(24);
    REQUIRE(answer.size() == 24);
    CHECK(answer[0] == '\x81');
    CHECK(answer.substr(6, 2) == std::string(2, '\0'));
    TestClient other = fixture.server.Connect();
    CHECK(Holds(other, "k", value));
  }
  CHECK(fixture.server.Stat("store_no_memory") == 0);
}

}  // namespace
}  // namespace larder::server
