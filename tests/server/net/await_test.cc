// Connections whose answers somebody else produces: called again at each Wake, none lost, and gone
// when their peer is.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/net/front_end.h"
#include "tests/server/net/feed_handler.h"
#include "tests/server/net/test_client.h"

namespace larder::server {
namespace {

using Sources = std::vector<std::shared_ptr<FeedSource>>;

class Fixture {
 public:
  Fixture() {
    config.tcp_addresses = {{"127.0.0.1", 0}};
    config.worker_count = 1;
    config.clients_max = 20'000;
  }

  void Start() {
    std::string error;
    const auto make_service = [this] { return std::make_unique<FeedService>(desk); };
    front_end = FrontEnd::Create(config, make_service, log, &error);
    INFO(error);
    REQUIRE(front_end != nullptr);
    front_end->Start();
  }

  TestClient Connect(int receive_buffer_bytes = 0) {
    TestClient client = TestClient::Tcp(front_end->Listeners().front().port, receive_buffer_bytes);
    REQUIRE(client.IsConnected());
    return client;
  }

  // The feed that `request` begins.
  std::shared_ptr<FeedSource> Begin(TestClient& client, std::string_view request = "feed\n") {
    const size_t count = desk.All().size() + 1;
    REQUIRE(client.Send(request));
    REQUIRE(Eventually([&] { return desk.All().size() == count; }));
    std::shared_ptr<FeedSource> source = desk.All().back();
    REQUIRE(Eventually([&] { return source->calls > 0; }));
    return source;
  }

  [[nodiscard]] bool ClientsBecome(uint64_t count) {
    return Eventually([&] { return front_end->Totals().clients == count; });
  }

  FeedDesk desk;
  Log log{kLogWarning};
  FrontEndConfig config;
  std::unique_ptr<FrontEnd> front_end;
};

TEST_CASE_METHOD(Fixture, "what is produced for a waiting client arrives, then it is served on") {
  Start();
  TestClient client = Connect();
  const auto source = Begin(client);
  source->Put("one ");
  CHECK(client.Read(4) == "one ");
  source->Put("two ");
  CHECK(client.Read(4) == "two ");
  source->Finish();
  CHECK(client.Ask("next\n") == "next\n");
}

TEST_CASE_METHOD(Fixture, "requests behind one that awaits are answered after it, without a spin") {
  Start();
  TestClient client = Connect();
  const auto source = Begin(client, "first\nfeed\nsecond\n");
  CHECK(client.Read(6) == "first\n");
  REQUIRE(client.Send("third\n"));  // stays in the socket
  const int calls = source->calls;
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  CHECK(source->calls == calls);
  source->Put("fed\n");
  source->Finish();
  CHECK(client.Read(17) == "fed\nsecond\nthird\n");
}

TEST_CASE_METHOD(Fixture, "a client that has asked all it wanted still gets its answer") {
  Start();
  TestClient client = Connect();
  const auto source = Begin(client, "feed\nlast words\n");
  client.FinishSending();
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  source->Put("here you are\n");
  CHECK(client.Read(13) == "here you are\n");
  CHECK(source->is_wanted);
  source->Finish();
  CHECK(client.ReadToEnd() == "last words\n");
  CHECK(ClientsBecome(0));
}

TEST_CASE_METHOD(Fixture, "an answer that never ends does with the peer's end") {
  Start();
  TestClient client = Connect();
  const auto source = Begin(client, "watch\n");
  source->Put("an event\n");
  CHECK(client.Read(9) == "an event\n");
  SECTION("orderly") { client.Close(); }
  SECTION("of its sending side") { client.FinishSending(); }
  SECTION("by a reset") { client.Reset(); }
  CHECK(Eventually([&] { return !source->is_wanted; }));
  CHECK(ClientsBecome(0));
  source->Put("for nobody\n");  // a Waker whose connection is gone does nothing
}

TEST_CASE_METHOD(Fixture, "a reset ends any answer, even with requests unread") {
  Start();
  TestClient client = Connect();
  const auto source = Begin(client);
  REQUIRE(client.Send("never read\n"));
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  client.Reset();
  CHECK(Eventually([&] { return !source->is_wanted; }));
  CHECK(ClientsBecome(0));
}

TEST_CASE_METHOD(Fixture, "a client that vanished after its request is noticed when it is fed") {
  Start();
  TestClient client = Connect();
  const auto source = Begin(client);
  client.Close();
  CHECK(Eventually([&] {
    source->Put("anybody there?\n");
    return !source->is_wanted;
  }));
}

TEST_CASE_METHOD(Fixture, "a feed larger than the socket takes arrives whole") {
  Start();
  TestClient client = Connect(/*receive_buffer_bytes=*/4096);
  const auto source = Begin(client);
  std::thread producer([&] {
    for (int i = 0; i < 800; ++i) source->Put(std::string(10'000, 'x'));
    source->Finish();
  });
  CHECK(client.Read(8'000'000) == std::string(8'000'000, 'x'));
  producer.join();
  CHECK(client.Ask("next\n") == "next\n");
}

TEST_CASE_METHOD(Fixture, "a Waker may be used when its worker is gone") {
  Start();
  TestClient client = Connect();
  const auto source = Begin(client);
  front_end.reset();
  CHECK_FALSE(source->is_wanted);
  source->Put("too late");
  source->WakeForNothing();
}

TEST_CASE_METHOD(Fixture, "no wake-up is lost, whenever it comes") {
  config.worker_count = 2;
  Start();
  // Each round gives the next byte only when the one before has arrived, so one lost wake-up is
  // one hanging round; four pairs at once vary the moments.
  constexpr int kRounds = 5'000;
  std::vector<std::thread> pairs;
  std::atomic<int> finished{0};
  std::vector<TestClient> clients;
  Sources sources;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(Connect());
    sources.push_back(Begin(clients.back()));
  }
  for (size_t i = 0; i < clients.size(); ++i) {
    pairs.emplace_back([&, i] {
      for (int round = 0; round < kRounds; ++round) {
        sources[i]->Put("a");
        if (round % 3 == 0) sources[i]->WakeForNothing();
        sources[i]->Put("b");
        if (clients[i].Read(2) != "ab") return;
      }
      ++finished;
    });
  }
  for (std::thread& pair : pairs) pair.join();
  CHECK(finished == 4);
}

TEST_CASE_METHOD(Fixture, "a thousand feeds are closed while they are woken") {
  config.worker_count = 2;
  Start();
  std::atomic<bool> is_over{false};
  std::vector<std::thread> wakers;
  for (int i = 0; i < 2; ++i) {
    wakers.emplace_back([&, i] {
      while (!is_over) {
        const Sources sources = desk.All();
        for (size_t k = static_cast<size_t>(i); k < sources.size(); ++k) {
          if (k + 200 < sources.size()) continue;  // the last ones are the lively ones
          sources[k]->Put("x");
        }
      }
    });
  }
  for (int i = 0; i < 1000; ++i) {
    TestClient client = Connect();
    REQUIRE(client.Send(i % 2 == 0 ? "feed\n" : "watch\n"));
    if (i % 5 != 0) REQUIRE(client.Read(1) == "x");
    if (i % 3 == 0) client.Reset();
  }
  CHECK(Eventually([&] { return front_end->Totals().accepted == 1000; }));
  CHECK(ClientsBecome(0));
  is_over = true;
  for (std::thread& waker : wakers) waker.join();
  CHECK(desk.All().size() >= 660);  // a reset may overtake its request
  for (const auto& source : desk.All()) CHECK_FALSE(source->is_wanted);
}

}  // namespace
}  // namespace larder::server
