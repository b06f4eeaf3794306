// Which worker a client gets: by the counts alone, and with real clients that come and go.
#include "server/net/placement.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "server/net/worker.h"
#include "server/os/unique_fd.h"
#include "tests/server/net/front_end_fixture.h"

namespace larder::server {
namespace {

std::vector<size_t> PlaceSome(Placement& placement, size_t client_count) {
  std::vector<size_t> workers;
  for (size_t i = 0; i < client_count; ++i) workers.push_back(placement.Place());
  return workers;
}

TEST_CASE("workers with as many clients each get the next ones in turn") {
  Placement placement(3);
  CHECK(PlaceSome(placement, 7) == std::vector<size_t>{0, 1, 2, 0, 1, 2, 0});
  CHECK(placement.Total() == 7);
}

TEST_CASE("a client goes to the worker that has the fewest") {
  Placement placement(3);
  CHECK(PlaceSome(placement, 6).size() == 6);
  placement.CountOf(1) -= 2;
  placement.CountOf(2) -= 1;
  CHECK(PlaceSome(placement, 3) == std::vector<size_t>{1, 2, 1});
  CHECK(placement.Total() == 6);
}

TEST_CASE("a client that comes as another leaves does not make one worker the favourite") {
  Placement placement(4);
  std::array<int, 4> placed{};
  for (int i = 0; i < 400; ++i) {
    const size_t worker = placement.Place();
    ++placed[worker];
    --placement.CountOf(worker);
  }
  CHECK(placed == std::array<int, 4>{100, 100, 100, 100});
}

TEST_CASE("one worker gets all") {
  Placement placement(1);
  CHECK(PlaceSome(placement, 3) == std::vector<size_t>{0, 0, 0});
}

class Fixture : public FrontEndFixture {
 public:
  static constexpr size_t kWorkerCount = 4;
  using Counts = std::array<size_t, kWorkerCount>;

  Fixture() { config.worker_count = kWorkerCount; }

  void ConnectSome(size_t client_count) {
    for (size_t i = 0; i < client_count; ++i) Take(Connect());
  }

  // Finds out whose the client is.
  void Take(TestClient client) {
    REQUIRE(client.Send("worker\n"));
    const std::string answer = client.Read(2);
    REQUIRE(answer.size() == 2);
    clients_[static_cast<size_t>(answer[0] - '0')].push_back(std::move(client));
  }

  void Leave(size_t worker, size_t client_count) {
    clients_[worker].erase(clients_[worker].end() - static_cast<ptrdiff_t>(client_count),
                           clients_[worker].end());
  }

  [[nodiscard]] Counts CountClients() const {
    Counts counts{};
    std::transform(clients_.begin(), clients_.end(), counts.begin(),
                   [](const auto& clients) { return clients.size(); });
    return counts;
  }

 private:
  std::array<std::vector<TestClient>, kWorkerCount> clients_;
};

TEST_CASE_METHOD(Fixture, "after many clients left unevenly new ones even the workers out") {
  Start();
  ConnectSome(400);
  REQUIRE(CountClients() == Counts{100, 100, 100, 100});
  Leave(0, 100);
  Leave(1, 90);
  Leave(2, 70);
  Leave(3, 40);
  REQUIRE(ClientsBecome(100));

  ConnectSome(80);  // 0, 10 and 30 are filled up to the same level; 60 waits
  CHECK(CountClients() == Counts{40, 40, 40, 60});
  ConnectSome(220);
  CHECK(CountClients() == Counts{100, 100, 100, 100});
}

TEST_CASE_METHOD(Fixture, "a burst of clients spreads before any of them is opened") {
  config.backlog = 200;
  std::string error;
  front_end = FrontEnd::Create(
      config, [this] { return std::make_unique<LineService>(stats); }, log, &error);
  REQUIRE(front_end != nullptr);
  std::vector<TestClient> waiting;
  for (int i = 0; i < 200; ++i) waiting.push_back(Connect());  // by the system, into the backlog
  front_end->Start();
  for (TestClient& client : waiting) Take(std::move(client));
  CHECK(CountClients() == Counts{50, 50, 50, 50});
}

TEST_CASE_METHOD(Fixture, "clients that are refused leave no trace in the balance") {
  config.clients_max = 8;
  Start();
  ConnectSome(8);
  for (int i = 0; i < 20; ++i) REQUIRE(Connect().ReadToEnd().starts_with("ERROR"));
  Leave(2, 2);
  REQUIRE(ClientsBecome(6));
  ConnectSome(2);
  CHECK(CountClients() == Counts{2, 2, 2, 2});
}

TEST_CASE("clients that come all at once are opened over several turns") {
  constexpr int kClientCount = 300;
  LineStats stats;
  Log log{kLogWarning};
  ClientCount client_count{kClientCount};
  const auto worker = Worker::Create(ConnectionLimits{}, std::make_unique<LineService>(stats),
                                     client_count, /*observer=*/nullptr, log);
  REQUIRE(worker != nullptr);
  std::vector<UniqueFd> clients;
  for (int i = 0; i < kClientCount; ++i) {
    int pair[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    clients.emplace_back(pair[0]);
    Arrival arrival;
    arrival.socket = UniqueFd(pair[1]);
    worker->Add(std::move(arrival));
  }
  worker->Start();
  CHECK(Eventually([&] { return stats.handlers == kClientCount; }));
  CHECK(stats.turns >= 4);
  worker->Stop();
  CHECK(client_count == 0);
}

}  // namespace
}  // namespace larder::server
