// UDP against real sockets: what a datagram draws, and what it does not.
#include "server/net/udp_endpoint.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/server/net/feed_handler.h"
#include "tests/server/net/front_end_fixture.h"
#include "tests/server/net/udp_client.h"

namespace larder::server {
namespace {

using Payloads = std::vector<std::string>;

class Fixture : public FrontEndFixture {
 public:
  Fixture() { config.udp_addresses = {{"127.0.0.1", 0}}; }

  UdpClient OpenUdp() {
    UdpClient client(front_end->UdpPorts().front().port);
    REQUIRE(client.IsOpen());
    return client;
  }

  // What `payload` draws, as a request of its own.
  Payloads Ask(UdpClient& client, std::string_view payload, uint16_t total = 1) {
    client.Send(77, payload, total);
    Payloads payloads;
    datagrams = client.DrawnSoFar("last\n");
    REQUIRE(client.IsAnswered());
    for (const Datagram& datagram : datagrams) {
      CHECK(datagram.request_id == 77);
      CHECK(datagram.reserved == 0);
      payloads.push_back(datagram.payload);
    }
    return payloads;
  }

  std::vector<Datagram> datagrams;
};

TEST_CASE_METHOD(Fixture, "a datagram's request is answered by one that bears its id") {
  Start();
  UdpClient client = OpenUdp();
  CHECK(Ask(client, "hello\n") == Payloads{"hello\n"});
  CHECK(datagrams.front().sequence == 0);
  CHECK(datagrams.front().total == 1);
  CHECK(stats.out_of_turn == 0);
  CHECK(Eventually([&] { return stats.handlers == 0; }));  // none outlives its datagram
}

TEST_CASE_METHOD(Fixture, "each request of a datagram has an answer of its own") {
  Start();
  UdpClient client = OpenUdp();
  CHECK(Ask(client, "one\ntwo\nthree\n") == Payloads{"one\n", "two\n", "three\n"});
  for (const Datagram& datagram : datagrams) {
    CHECK(datagram.sequence == 0);
    CHECK(datagram.total == 1);
  }
}

TEST_CASE_METHOD(Fixture, "a large answer is cut into numbered datagrams of 1,400 bytes") {
  Start();
  UdpClient client = OpenUdp();
  const std::string request = GENERATE("fill 5000\n", "lend 5000\n");
  Ask(client, "small\n" + request + "after\n");
  REQUIRE(datagrams.size() == 6);
  CHECK(datagrams[0].payload == "small\n");
  std::string answer;
  for (size_t i = 1; i <= 4; ++i) {
    CHECK(datagrams[i].sequence == i - 1);
    CHECK(datagrams[i].total == 4);
    CHECK(datagrams[i].payload.size() == (i < 4 ? 1392 : 5000 - 3 * 1392));
    answer += datagrams[i].payload;
  }
  CHECK(answer == std::string(5000, request[0]));
  CHECK(datagrams[5].payload == "after\n");
  CHECK(stats.lent == stats.released);
}

TEST_CASE_METHOD(Fixture, "what is no request of one datagram draws nothing") {
  Start();
  UdpClient client = OpenUdp();
  client.SendRaw("");
  client.SendRaw("hello\n");
  client.SendRaw("no frame, but many words of text\nand lines\n");
  client.Send(1, "");              // a header alone
  client.Send(1, "hello\n", 0);    // of no datagram
  client.Send(1, "hello\n", 2);    // a part
  client.Send(1, "hello");         // no end of the line
  client.Send(1, "take 10\nvvv");  // half a value
  client.Send(1, "nonsense\nhello\n");
  client.Send(1, "abort\nhello\n");
  CHECK(client.DrawnSoFar("last\n").empty());
  CHECK(client.IsAnswered());
}

TEST_CASE_METHOD(Fixture,
                 "what makes no sense ends its datagram, and what came before is answered") {
  Start();
  UdpClient client = OpenUdp();
  CHECK(Ask(client, "one\nnonsense\ntwo\n") == Payloads{"one\n"});
  CHECK(Ask(client, "one\nabort\ntwo\n") == Payloads{"one\n"});
  CHECK(Ask(client, "one\nhalf of two") == Payloads{"one\n"});
}

TEST_CASE_METHOD(Fixture, "a value in a datagram is taken") {
  Start();
  UdpClient client = OpenUdp();
  const std::string value(20'000, 'v');
  CHECK(Ask(client, "take 20000\n" + value + "next\n") == Payloads{"took 20000 0\n", "next\n"});
}

TEST_CASE_METHOD(Fixture, "a quit that drew nothing else is told by an empty datagram") {
  Start();
  UdpClient client = OpenUdp();
  CHECK(Ask(client, "quit\nnot answered\n") == Payloads{""});
  CHECK(datagrams.front().sequence == 0);
  CHECK(datagrams.front().total == 0);
  CHECK(Ask(client, "one\nquit\n") == Payloads{"one\n"});
}

TEST_CASE_METHOD(Fixture, "a datagram with many requests yields to others and is answered whole") {
  config.requests_per_turn_max = 10;
  Start();
  TestClient stream = Connect();
  UdpClient client = OpenUdp();
  std::string requests;
  for (int i = 0; i < 200; ++i) requests += "r\n";
  CHECK(Ask(client, requests) == Payloads(200, "r\n"));
  CHECK(front_end->Totals().yields == 19);
  CHECK(stream.Ask("served, too\n") == "served, too\n");
}

TEST_CASE_METHOD(Fixture, "what one datagram draws is bounded") {
  Start();
  UdpClient client = OpenUdp();
  std::string requests = "first\n";
  for (int i = 0; i < 1000; ++i) requests += "fill 100000\n";
  client.Send(1, requests);
  // Once this is answered, what the large request drew has been sent. It may have been lost on the
  // way, which is why the server's count is asked.
  bool is_answered = false;
  for (int i = 0; i < 10 && !is_answered; ++i) {
    client.DrawnSoFar("last\n");
    is_answered = client.IsAnswered();
  }
  CHECK(is_answered);
  CHECK(front_end->Totals().bytes_written <= (DatagramReplies::kDatagramsMax + 20) * 1400);
  CHECK(front_end->Totals().bytes_written > 100'000);
}

TEST_CASE_METHOD(Fixture, "an answer too large for the bound is dropped, and what follows it") {
  Start();
  UdpClient client = OpenUdp();
  CHECK(Ask(client, "one\nlend 3000000\ntwo\n") == Payloads{"one\n"});
  CHECK(stats.lent == stats.released);
}

TEST_CASE_METHOD(Fixture, "every worker has a socket of each address, and clients are spread") {
  config.worker_count = 3;
  config.udp_addresses = {{"127.0.0.1", 0}, {"127.0.0.2", 0}};
  Start();
  CHECK(front_end->Totals().udp_sockets == 6);
  REQUIRE(front_end->UdpPorts().size() == 2);
  CHECK(front_end->UdpPorts()[0].port == front_end->UdpPorts()[1].port);
  for (int i = 0; i < 20; ++i) {
    UdpClient client = OpenUdp();
    CHECK(Ask(client, "hello\n") == Payloads{"hello\n"});
  }
}

TEST_CASE_METHOD(Fixture, "a UDP port in use is an error") {
  Start();
  FrontEndFixture other;
  other.config.udp_addresses = {{"127.0.0.1", front_end->UdpPorts().front().port}};
  std::string error;
  const auto make_service = [&] { return std::make_unique<LineService>(other.stats); };
  CHECK(FrontEnd::Create(other.config, make_service, log, &error) == nullptr);
  CHECK(error == "Address already in use");
}

TEST_CASE("nothing is awaited for a datagram") {
  FeedDesk desk;
  Log log{kLogWarning};
  FrontEndConfig config;
  config.udp_addresses = {{"127.0.0.1", 0}};
  config.worker_count = 1;
  std::string error;
  const auto make_service = [&] { return std::make_unique<FeedService>(desk); };
  const auto front_end = FrontEnd::Create(config, make_service, log, &error);
  REQUIRE(front_end != nullptr);
  front_end->Start();
  UdpClient client(front_end->UdpPorts().front().port);
  client.Send(1, "feed\n");
  CHECK(client.DrawnSoFar("last\n").empty());
  CHECK(client.IsAnswered());
  REQUIRE(desk.All().size() == 1);
  CHECK_FALSE(desk.All().front()->is_wanted);
  desk.All().front()->Put("too late");  // its Waker leads nowhere
}

TEST_CASE_METHOD(Fixture, "datagrams without end do not hold up a stop") {
  config.worker_count = 2;
  Start();
  std::atomic<bool> is_over{false};
  std::thread storm([&, client = OpenUdp()]() mutable {
    while (!is_over) client.Send(1, "r\nr\nr\nlend 4000\nfill 10\nquit\n");
  });
  TestClient stream = Connect();
  for (int i = 0; i < 50; ++i) REQUIRE(stream.Ask("still here\n") == "still here\n");
  Stop();
  is_over = true;
  storm.join();
  CHECK(stats.handlers == 0);
  CHECK(stats.lent == stats.released);
}

}  // namespace
}  // namespace larder::server
