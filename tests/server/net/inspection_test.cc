// Connections that are closed for what they do not do: idle ones, and clients of a feed that take
// nothing. Times are in the order of a second, because that is what the server counts in; the tests
// wait for what has to happen and never fail for being slow.
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/net/feed_handler.h"
#include "tests/server/net/front_end_fixture.h"

namespace larder::server {
namespace {

// More than the sockets take.
std::string Filler(size_t bytes) {
  std::string text;
  text.resize(bytes, 'x');
  return text;
}

using std::chrono::steady_clock;

TEST_CASE_METHOD(FrontEndFixture, "who asks nothing for longer than the timeout is disconnected") {
  config.idle_timeout_s = 1;
  Start();
  const auto start = steady_clock::now();
  TestClient silent = Connect();
  TestClient once = Connect();
  CHECK(once.Ask("one request\n") == "one request\n");
  CHECK(silent.SeesEnd());
  CHECK(once.SeesEnd());
  CHECK(steady_clock::now() - start > std::chrono::seconds(1));
  CHECK(front_end->Totals().idle_kicks == 2);
  CHECK(ClientsBecome(0));
}

TEST_CASE_METHOD(FrontEndFixture, "half a request or half a value does not keep a client") {
  config.idle_timeout_s = 1;
  Start();
  TestClient line = Connect();
  TestClient value = Connect();
  REQUIRE(line.Send("half a re"));
  REQUIRE(value.Send("take 100000\nvvv"));
  CHECK(line.SeesEnd());
  CHECK(value.SeesEnd());
  CHECK(front_end->Totals().idle_kicks == 2);
  CHECK(front_end->Totals().held_input_bytes == 0);
}

TEST_CASE_METHOD(FrontEndFixture, "trickling bytes of a line that never ends is idle") {
  config.idle_timeout_s = 1;
  Start();
  TestClient slow = Connect();
  CHECK(Eventually([&] {
    slow.SendSome("x");
    return front_end->Totals().idle_kicks == 1;
  }));
}

TEST_CASE_METHOD(FrontEndFixture, "who keeps asking, or sending a value, stays") {
  config.idle_timeout_s = 1;
  Start();
  TestClient idle = Connect();
  TestClient busy = Connect();
  TestClient storing = Connect();
  REQUIRE(storing.Send("take 1000000\n"));
  size_t sent_bytes = 0;
  for (uint64_t kicks = 0; kicks == 0; kicks = front_end->Totals().idle_kicks) {
    REQUIRE(busy.Ask("still here\n") == "still here\n");
    REQUIRE(storing.Send("vvvvv"));
    sent_bytes += 5;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  CHECK(idle.SeesEnd());
  REQUIRE(storing.Send(std::string(1'000'000 - sent_bytes, 'v')));
  CHECK(storing.Read(13) == "took 1000000 ");
}

TEST_CASE_METHOD(FrontEndFixture, "a client that is being answered is not idle") {
  config.idle_timeout_s = 1;
  Start();
  TestClient reading = Connect(/*receive_buffer_bytes=*/4096);
  REQUIRE(reading.Send("lend 12000000\n"));
  CHECK(RepliesWait());
  TestClient idle = Connect();
  CHECK(idle.SeesEnd());  // by now the other has been silent for as long
  CHECK(reading.Read(12'000'000).size() == 12'000'000);
  CHECK(front_end->Totals().idle_kicks == 1);
  CHECK(reading.SeesEnd());  // once it has been, its turn comes
}

TEST_CASE_METHOD(FrontEndFixture, "more idle clients than one stretch inspects are all found") {
  config.idle_timeout_s = 1;
  Start();
  std::vector<TestClient> clients;
  clients.reserve(1500);
  for (int i = 0; i < 1500; ++i) clients.push_back(Connect());
  CHECK(Eventually([&] { return front_end->Totals().idle_kicks == 1500; }));
  CHECK(ClientsBecome(0));
}

TEST_CASE_METHOD(FrontEndFixture, "without a timeout nobody is inspected") {
  Start();
  TestClient client = Connect();
  CHECK(client.Ask("x\n") == "x\n");
  CHECK(Eventually([&] { return stats.open_turns == 0; }));
  const int turns = stats.turns;
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  CHECK(stats.turns == turns);
}

class FeedFixture {
 public:
  FeedFixture() {
    config.tcp_addresses = {{"127.0.0.1", 0}};
    config.worker_count = 1;
    config.stall_timeout_s = 2;
  }

  void Start() {
    std::string error;
    const auto make_service = [this] { return std::make_unique<FeedService>(desk); };
    front_end = FrontEnd::Create(config, make_service, log, &error);
    REQUIRE(front_end != nullptr);
    front_end->Start();
  }

  std::shared_ptr<FeedSource> Begin(TestClient& client) {
    const size_t count = desk.All().size() + 1;
    REQUIRE(client.Send("feed\n"));
    REQUIRE(Eventually([&] { return desk.All().size() == count; }));
    return desk.All().back();
  }

  TestClient Connect(int receive_buffer_bytes = 0) {
    return TestClient::Tcp(front_end->Listeners().front().port, receive_buffer_bytes);
  }

  FeedDesk desk;
  Log log{kLogWarning};
  FrontEndConfig config;
  std::unique_ptr<FrontEnd> front_end;
};

TEST_CASE_METHOD(FeedFixture, "a client that stops reading its feed is dropped") {
  Start();
  TestClient client = Connect(/*receive_buffer_bytes=*/4096);
  const auto source = Begin(client);
  source->Put(Filler(20'000'000));
  CHECK(Eventually([&] { return !source->is_wanted; }));
  CHECK(front_end->Totals().stall_kicks == 1);
  CHECK(front_end->Totals().held_replies_bytes == 0);
}

TEST_CASE_METHOD(FeedFixture, "a client that reads its feed slowly keeps it") {
  Start();
  TestClient slow = Connect(/*receive_buffer_bytes=*/4096);
  TestClient stalled = Connect(/*receive_buffer_bytes=*/4096);
  const auto kept = Begin(slow);
  const auto dropped = Begin(stalled);
  kept->Put(Filler(12'000'000));
  dropped->Put(Filler(12'000'000));
  size_t read_bytes = 0;
  while (dropped->is_wanted && read_bytes < 11'000'000) {
    const std::string bytes = slow.Read(20'000);
    REQUIRE_FALSE(bytes.empty());
    read_bytes += bytes.size();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK_FALSE(dropped->is_wanted);
  CHECK(kept->is_wanted);
  kept->Finish();
  CHECK(slow.Read(12'000'000 - read_bytes).size() == 12'000'000 - read_bytes);
}

TEST_CASE_METHOD(FeedFixture, "a feed that is silent is neither idle nor stalled") {
  config.idle_timeout_s = 1;
  Start();
  TestClient fed = Connect();
  const auto source = Begin(fed);
  TestClient idle = Connect();
  CHECK(idle.SeesEnd());
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  source->Put("at last\n");
  CHECK(fed.Read(8) == "at last\n");
  CHECK(front_end->Totals().stall_kicks == 0);
}

}  // namespace
}  // namespace larder::server
