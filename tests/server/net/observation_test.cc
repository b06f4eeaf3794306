// What is told of connections: facts of all of them at once, and who comes and goes.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/server/net/feed_handler.h"
#include "tests/server/net/front_end_fixture.h"
#include "tests/server/net/udp_client.h"

namespace larder::server {
namespace {

using State = ConnectionFacts::State;

class Fixture : public FrontEndFixture {
 public:
  std::vector<ConnectionFacts> Ask() {
    struct Answer {
      std::mutex mutex;
      std::optional<std::vector<ConnectionFacts>> facts;  // guarded by mutex
    };
    const auto answer = std::make_shared<Answer>();
    front_end->DescribeConnections([answer](const SharedConnectionFacts& facts) {
      const std::lock_guard lock(answer->mutex);
      answer->facts = *facts;
    });
    REQUIRE(Eventually([&] {
      const std::lock_guard lock(answer->mutex);
      return answer->facts.has_value();
    }));
    return *answer->facts;
  }

  std::map<State, int> CountStates() {
    std::map<State, int> counts;
    for (const ConnectionFacts& facts : Ask()) ++counts[facts.state];
    return counts;
  }
};

TEST_CASE_METHOD(Fixture, "listeners, UDP sockets and clients of all workers are listed by fd") {
  config.worker_count = 3;
  config.udp_addresses = {{"127.0.0.1", 0}};
  Start();
  std::vector<TestClient> clients;
  for (int i = 0; i < 7; ++i) {
    clients.push_back(Connect());
    REQUIRE(clients.back().Ask("x\n") == "x\n");
  }
  const std::vector<ConnectionFacts> all = Ask();
  REQUIRE(all.size() == 1 + 3 + 7);
  const std::string tcp = "tcp:127.0.0.1:" + std::to_string(front_end->Listeners()[0].port);
  const std::string udp = "udp:127.0.0.1:" + std::to_string(front_end->UdpPorts()[0].port);
  int listener_count = 0;
  int udp_count = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i > 0) CHECK(all[i - 1].fd < all[i].fd);
    if (all[i].state == State::kListening) {
      ++listener_count;
      CHECK(all[i].address == tcp);
      CHECK(all[i].listen_address.empty());
    } else if (all[i].is_udp) {
      ++udp_count;
      CHECK(all[i].state == State::kRead);
      CHECK(all[i].address == udp);
      CHECK(all[i].listen_address.empty());
    } else {
      CHECK(all[i].state == State::kRead);
      CHECK(all[i].address.starts_with("tcp:127.0.0.1:"));
      CHECK(all[i].address != tcp);
      CHECK(all[i].listen_address == tcp);
    }
    CHECK(all[i].seconds_since_last_command < 60);
  }
  CHECK(listener_count == 1);
  CHECK(udp_count == 3);
}

TEST_CASE_METHOD(Fixture, "a connection's state says what it waits for") {
  stats.handlers_never_block = true;
  Start();
  TestClient value = Connect();
  REQUIRE(value.Send("take 100\nvvv"));
  TestClient writing = Connect(/*receive_buffer_bytes=*/4096);
  REQUIRE(writing.Send("lend 9000000\n"));
  TestClient closing = Connect(/*receive_buffer_bytes=*/4096);
  REQUIRE(closing.Send("lend 9000000\nquit\n"));
  TestClient idle = Connect();
  CHECK(Eventually([&] {
    const std::map<State, int> expected = {{State::kListening, 1},
                                           {State::kValue, 1},
                                           {State::kWriting, 1},
                                           {State::kClosing, 1},
                                           {State::kRead, 1}};
    return CountStates() == expected;
  }));
}

TEST_CASE_METHOD(Fixture, "a unix socket is listed by its path") {
  const std::string path =
      std::filesystem::temp_directory_path() / ("larder_facts_" + std::to_string(::getpid()));
  config.tcp_addresses.clear();
  config.unix_path = path;
  Start();
  TestClient client = TestClient::Unix(path);
  REQUIRE(client.Ask("x\n") == "x\n");
  const std::vector<ConnectionFacts> all = Ask();
  REQUIRE(all.size() == 2);
  CHECK(all[0].address == "unix:" + path);
  CHECK(all[1].address == "?:<AF 0>");
  CHECK(all[1].listen_address == "unix:" + path);
  Stop();
  ::unlink(path.c_str());
}

TEST_CASE_METHOD(Fixture, "IPv6 addresses stand in brackets") {
  config.tcp_addresses = {{"::1", 0, /*is_optional=*/true}};
  Start();
  if (front_end->Listeners().empty()) return;  // this machine has no IPv6
  CHECK(Ask().front().address ==
        "tcp6:[::1]:" + std::to_string(front_end->Listeners().front().port));
}

TEST_CASE("who asks while his own answer is awaited finds himself awaiting") {
  FeedDesk desk;
  Log log{kLogWarning};
  FrontEndConfig config;
  config.tcp_addresses = {{"127.0.0.1", 0}};
  config.worker_count = 2;
  std::string error;
  const auto make_service = [&] { return std::make_unique<FeedService>(desk); };
  const auto front_end = FrontEnd::Create(config, make_service, log, &error);
  REQUIRE(front_end != nullptr);
  front_end->Start();
  TestClient client = TestClient::Tcp(front_end->Listeners().front().port);
  REQUIRE(client.Send("feed\n"));
  REQUIRE(Eventually([&] { return !desk.All().empty() && desk.All()[0]->calls > 0; }));
  const auto source = desk.All().front();
  front_end->DescribeConnections([source](const SharedConnectionFacts& facts_of_all) {
    const std::vector<ConnectionFacts>& all = *facts_of_all;
    const auto awaits = [](const auto& facts) { return facts.state == State::kAwaiting; };
    const auto count = std::count_if(all.begin(), all.end(), awaits);
    source->Put(std::to_string(all.size()) + " " + std::to_string(count));
    source->Finish();
  });
  CHECK(client.Read(3) == "2 1");
}

TEST_CASE_METHOD(Fixture, "who asks as the server stops gets no answer, and no harm") {
  config.worker_count = 2;
  Start();
  std::vector<TestClient> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(Connect());
  for (int i = 0; i < 100; ++i) front_end->DescribeConnections([](const auto&) {});
  Stop();
  CHECK(stats.handlers == 0);
}

// --- who comes and goes --------------------------------------------------------------------------

class Witness final : public ConnectionObserver {
 public:
  void OnOpen(const RemoteEnd& remote) override {
    const std::lock_guard lock(mutex_);
    lines_.push_back("open " + Describe(remote));
  }
  void OnClose(const RemoteEnd& remote, CloseReason reason) override {
    constexpr const char* kReasons[] = {"normal", "error", "idle", "shutdown"};
    const std::lock_guard lock(mutex_);
    lines_.push_back("close " + Describe(remote) + ' ' + kReasons[static_cast<int>(reason)]);
  }
  std::vector<std::string> Lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  static std::string Describe(const RemoteEnd& remote) {
    constexpr const char* kCarriers[] = {"tcp", "unix", "udp"};
    return std::string(kCarriers[static_cast<int>(remote.carrier)]) + ' ' + remote.address + ' ' +
           std::to_string(remote.port);
  }

  std::mutex mutex_;
  std::vector<std::string> lines_;  // guarded by mutex_
};

uint16_t OwnPort(const TestClient& client) {
  sockaddr_in own{};
  socklen_t bytes = sizeof(own);
  ::getsockname(client.Fd(), reinterpret_cast<sockaddr*>(&own), &bytes);
  return ntohs(own.sin_port);
}

class WatchedFixture : public FrontEndFixture {
 public:
  WatchedFixture() {
    config.observer = &witness;
    witness.SetWatched(true);
  }
  ~WatchedFixture() { Stop(); }
  // The two lines of the one client there was.
  std::vector<std::string> Lines() {
    CHECK(Eventually([&] { return witness.Lines().size() == 2; }));
    return witness.Lines();
  }
  std::vector<std::string> Expected(uint16_t port, const std::string& reason) {
    const std::string client = "tcp 127.0.0.1 " + std::to_string(port);
    return {"open " + client, "close " + client + ' ' + reason};
  }
  Witness witness;
};

TEST_CASE_METHOD(WatchedFixture, "a watcher hears who comes, who goes and why") {
  config.idle_timeout_s = 1;
  Start();
  TestClient client = Connect();
  const uint16_t port = OwnPort(client);
  REQUIRE(client.Ask("x\n") == "x\n");
  SECTION("the client leaves") {
    client.Close();
    CHECK(Lines() == Expected(port, "normal"));
  }
  SECTION("the conversation is over") {
    REQUIRE(client.Send("quit\n"));
    CHECK(Lines() == Expected(port, "normal"));
  }
  SECTION("the stream makes no sense") {
    REQUIRE(client.Send("nonsense\n"));
    CHECK(Lines() == Expected(port, "error"));
  }
  SECTION("the client resets") {
    client.Reset();
    CHECK(Lines() == Expected(port, "error"));
  }
  SECTION("the client is idle") { CHECK(Lines() == Expected(port, "idle")); }
  SECTION("the server stops") {
    Stop();
    CHECK(Lines() == Expected(port, "shutdown"));
  }
}

TEST_CASE_METHOD(WatchedFixture, "an observer that nobody watches is not called") {
  witness.SetWatched(false);
  Start();
  TestClient client = Connect();
  REQUIRE(client.Ask("x\n") == "x\n");
  client.Close();
  CHECK(ClientsBecome(0));
  CHECK(witness.Lines().empty());
}

}  // namespace
}  // namespace larder::server
