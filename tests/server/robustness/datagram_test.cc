// UDP as an attacker sees it: whoever sends a datagram chooses whom the answer hits. So nonsense
// draws nothing, no request draws more than memcached answers to it, and what one datagram draws
// has a bound that its bytes do not move.
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/server/net/udp_client.h"
#include "tests/server/robustness/server_process.h"

namespace larder::server {
namespace {

using namespace std::string_literals;

constexpr std::string_view kVersion = "version\r\n";

struct Fixture {
  Fixture() { REQUIRE(client.IsOpen()); }

  // What `payload` draws.
  std::vector<Datagram> Drawn(std::string_view payload) {
    client.Send(1, payload);
    std::vector<Datagram> drawn = client.DrawnSoFar(kVersion);
    CHECK(client.IsAnswered());
    return drawn;
  }
  static size_t Bytes(const std::vector<Datagram>& datagrams) {
    size_t bytes = 0;
    for (const Datagram& datagram : datagrams) bytes += 8 + datagram.payload.size();
    return bytes;
  }
  void Store(const std::string& key, size_t bytes) {
    TestClient stream = server.Connect();
    REQUIRE(stream.Send("set " + key + " 0 0 " + std::to_string(bytes) + "\r\n" +
                        std::string(bytes, 'v') + "\r\n"));
    REQUIRE(stream.Read(8) == "STORED\r\n");
  }

  ServerProcess server{{"-U", "-1", "-t", "2", "-m", "64"}};
  UdpClient client{server.UdpPort()};
};

TEST_CASE_METHOD(Fixture, "well-formed requests over UDP are answered") {
  CHECK(Drawn("set k 5 0 3\r\nabc\r\n").at(0).payload == "STORED\r\n");
  const std::vector<Datagram> hits = Drawn("get k none k\r\n");
  REQUIRE(hits.size() == 2);
  CHECK(hits[0].payload == "VALUE k 5 3\r\nabc\r\n");
  CHECK(hits[1].payload == "VALUE k 5 3\r\nabc\r\nEND\r\n");
  CHECK(Drawn("\x80\x0a"s + std::string(22, '\0')).size() == 1);  // binary no-op
}

TEST_CASE_METHOD(Fixture, "nonsense in a frame draws nothing") {
  const std::string bad_packet = "\x80\xee"s + std::string(22, '\0');
  for (const std::string& nonsense :
       {"hello\r\n"s, "\r\n"s, "a\n"s, "a\na\na\na\n"s, "get\r\n"s, " get a\r\n"s, "\0\0\0\0\n"s,
        "GET / HTTP/1.1\r\n"s, "set k 0 0 x\r\nabc\r\n"s, "no end of the line"s, bad_packet,
        "\x81"s + std::string(23, '\0'), std::string(60'000, 'x'), std::string(3000, '\n')}) {
    INFO(nonsense.substr(0, 40));
    CHECK(Drawn(nonsense).empty());
  }
}

TEST_CASE_METHOD(Fixture, "an answer of ours that is sent to us draws nothing") {
  // With our own address as the forged sender, two servers, or one alone, would answer each other
  // for ever.
  Store("k", 10);
  for (const char* request : {"version\r\n", "get k\r\n", "get none\r\n", "incr k 1\r\n",
                              "delete none\r\n", "mn\r\n", "mg k v\r\n", "flush_all 0\r\n",
                              "stats\r\n", "watch\r\n", "lru_crawler metadump all\r\n"}) {
    INFO(request);
    for (const Datagram& answer : Drawn(request)) CHECK(Drawn(answer.payload).empty());
  }
}

TEST_CASE_METHOD(Fixture, "random bytes, framed or not, draw nothing and harm nobody") {
  std::mt19937 random(20);  // the seed is fixed, so that what fails once fails again
  const auto random_bytes = [&](size_t bytes) {
    std::string text(bytes, '\0');
    for (char& byte : text) byte = static_cast<char>(random());
    return text;
  };
  for (int i = 0; i < 2000; ++i) {
    const size_t bytes = random() % 100;
    if (i % 2 == 0) {
      client.SendRaw(random_bytes(bytes));
    } else {
      client.Send(1, random_bytes(bytes) + "\r\n");
    }
    if (i % 100 == 0) {
      CHECK(client.DrawnSoFar(kVersion).empty());
      REQUIRE(client.IsAnswered());
    }
  }
  CHECK(client.DrawnSoFar(kVersion).empty());
  GoodClient good(server);
  CHECK(good.IsServed());
}

TEST_CASE_METHOD(Fixture, "values that are not whole are given up with their datagram") {
  for (int round = 0; round < 20; ++round) {  // no more at a time than the socket holds
    for (int i = 0; i < 25; ++i) client.Send(1, "set half 0 0 500000\r\nbut a bit");
    const std::vector<Datagram> answer = Drawn("get half\r\n");
    REQUIRE(answer.size() == 1);
    CHECK(answer[0].payload == "END\r\n");
  }
  Store("large", 900'000);
  CHECK(server.ResidentKib() < (64 + 12) * 1024);
}

TEST_CASE_METHOD(Fixture, "a large value asked for many times is sent a bounded number of times") {
  Store("large", 500'000);
  const int64_t written_before = server.Stat("bytes_written");
  std::string request = "get";
  for (int i = 0; i < 5000; ++i) request += " large";
  client.Send(1, request + "\r\n");  // 30 KB that ask for 2.5 GB
  bool is_answered = false;
  for (int i = 0; i < 10 && !is_answered; ++i) {  // its answer may be lost in the flood
    client.DrawnSoFar(kVersion);
    is_answered = client.IsAnswered();
  }
  CHECK(is_answered);
  CHECK(server.Stat("bytes_written") - written_before < 1024 * 1400 + 20'000);
  GoodClient good(server);
  CHECK(good.IsServed());
}

TEST_CASE_METHOD(Fixture, "no request draws more than memcached answers") {
  Store("k", 100);
  struct Bound {
    const char* request;
    size_t drawn_bytes_max;  // what memcached 1.6.45 draws, headers included
  };
  // Beside these, the answers with the same bytes: the transcripts hold them against memcached.
  const Bound bounds[] = {
      {"watch\r\n", 0},
      {"watch evictions\r\n", 0},
      {"lru_crawler metadump all\r\n", 0},
      {"lru_crawler mgdump all\r\n", 0},
      {"stats conns\r\n", 368},
      {"stats larder\r\n", 15},
      {"stats nonsense\r\n", 15},
      {"nonsense\r\n", 15},
      {"a\n", 46},
      {"a\na\na\na\n", 4 * 46},
      {"stats\r\n", 2400},
      {"version\r\n", 24},
      {"get k\r\n", 8 + 17 + 100 + 7},
      {"mg k v\r\n", 8 + 8 + 100 + 2},
  };
  for (const Bound& bound : bounds) {
    INFO(bound.request);
    CHECK(Bytes(Drawn(bound.request)) <= bound.drawn_bytes_max);
  }
}

TEST_CASE("UDP is off unless it is asked for") {
  ServerProcess server;
  CHECK(server.UdpPort() == 0);
  UdpClient client(server.Port());
  client.Send(1, kVersion);
  Datagram datagram;
  CHECK_FALSE(client.Receive(&datagram, std::chrono::milliseconds(100)));
}

}  // namespace
}  // namespace larder::server
