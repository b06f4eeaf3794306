// How long clients wait for a worker: what is counted, and where the worker counts it.
#include "server/net/turn_clock.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <thread>

#include "tests/server/net/front_end_fixture.h"
#include "tests/server/net/udp_client.h"

namespace larder::server {
namespace {

constexpr auto kPause = std::chrono::milliseconds(5);
constexpr uint64_t kPauseNs = 5'000'000;

uint64_t SlowestNs(const LatencyHistogram& latencies) { return latencies.PercentileNs(1.0); }

TEST_CASE("each request of a lap took as long as the lap") {
  TurnClock clock;
  clock.Begin();
  clock.CountRequests(2);
  clock.CountRequests(1);
  std::this_thread::sleep_for(kPause);
  clock.Lap();
  clock.Lap();
  clock.End();
  CHECK(clock.Requests().Count() == 3);
  CHECK(clock.Requests().PercentileNs(0.01) >= kPauseNs);
  CHECK(clock.Turns().Count() == 1);
  CHECK(SlowestNs(clock.Turns()) >= SlowestNs(clock.Requests()));
}

TEST_CASE("a lap without requests lengthens the turn and nobody's service") {
  TurnClock clock;
  clock.Begin();
  std::this_thread::sleep_for(kPause);
  clock.Lap();
  CHECK(clock.Requests().Count() == 0);
  clock.CountRequests(1);
  clock.Lap();
  clock.End();
  CHECK(clock.Requests().Count() == 1);
  CHECK(SlowestNs(clock.Turns()) >= kPauseNs);
}

TEST_CASE("the wait between two turns is nobody's") {
  TurnClock clock;
  clock.Begin();
  clock.End();
  std::this_thread::sleep_for(kPause);
  clock.Begin();
  clock.End();
  CHECK(clock.Turns().Count() == 2);
  CHECK(SlowestNs(clock.Turns()) == 0);
}

TEST_CASE("a turn knows its second") {
  TurnClock clock;
  const uint32_t first_s = clock.Begin();
  CHECK(clock.Begin() - first_s <= 3600);
}

class Fixture : public FrontEndFixture {
 public:
  // Counted at once, when the worker's thread goes on after its send.
  [[nodiscard]] bool RequestsBecome(uint64_t count) {
    return Eventually([&] { return front_end->Timing().requests.Count() == count; });
  }
};

TEST_CASE_METHOD(Fixture, "a request is counted when it is answered") {
  Start();
  TestClient client = Connect();
  CHECK(client.Ask("one\ntwo\n") == "one\ntwo\n");
  CHECK(RequestsBecome(2));
  REQUIRE(client.Send("half"));
  REQUIRE(client.Send(" a line\n"));
  CHECK(client.Read(12) == "half a line\n");
  CHECK(RequestsBecome(3));
  const FrontEndTiming timing = front_end->Timing();
  CHECK(timing.turns.Count() >= 2);
  CHECK(SlowestNs(timing.requests) > 0);
  CHECK(SlowestNs(timing.turns) >= SlowestNs(timing.requests));
}

TEST_CASE_METHOD(Fixture, "one whose value comes in pieces is counted with the last of them") {
  Start();
  TestClient client = Connect();
  REQUIRE(client.Send("take 100000\n" + std::string(60'000, 'v')));
  TestClient other = Connect();
  CHECK(other.Ask("hello\n") == "hello\n");
  CHECK(RequestsBecome(1));
  REQUIRE(client.Send(std::string(40'000, 'v')));
  CHECK(client.Read(5) == "took ");
  CHECK(RequestsBecome(2));
}

TEST_CASE_METHOD(Fixture,
                 "requests beyond a turn's share are counted in the turns that take them") {
  config.requests_per_turn_max = 2;
  Start();
  TestClient client = Connect();
  CHECK(client.Ask("1\n2\n3\n4\n5\n") == "1\n2\n3\n4\n5\n");
  CHECK(RequestsBecome(5));
}

TEST_CASE_METHOD(Fixture, "all workers count, and requests in datagrams are counted, too") {
  config.worker_count = 2;
  config.udp_addresses = {{"127.0.0.1", 0}};
  Start();
  TestClient one = Connect();
  TestClient other = Connect();  // of the other worker
  CHECK(one.Ask("a\n") == "a\n");
  CHECK(other.Ask("b\n") == "b\n");
  UdpClient datagrams(front_end->UdpPorts().front().port);
  datagrams.Send(7, "c\nd\n");
  (void)datagrams.DrawnSoFar("e\n");
  REQUIRE(datagrams.IsAnswered());
  CHECK(RequestsBecome(5));
}

}  // namespace
}  // namespace larder::server
