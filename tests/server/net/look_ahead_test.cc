#include "server/net/look_ahead.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/server/net/front_end_fixture.h"

namespace larder::server {
namespace {

// Writes down what it is asked to look at.
class Seer final : public StreamHandler {
 public:
  explicit Seer(std::vector<std::string>& seen) : seen_(seen) {}

  StreamStep OnInput(std::string_view, uint32_t, protocol::ReplySink&) override { return {}; }
  uint64_t LookAhead(std::string_view input) const override {
    seen_.push_back("ahead " + std::string(input));
    return input.starts_with("nothing") ? 0 : input.size();
  }
  void LookCloser(uint64_t foreseen) const override {
    seen_.push_back("closer " + std::to_string(foreseen));
  }

 private:
  std::vector<std::string>& seen_;
};

struct LookAheadFixture {
  // Only told apart by their addresses.
  Connection& ConnectionAt(size_t index) {
    return *reinterpret_cast<Connection*>(&connections[index]);
  }

  void Receive(size_t index, std::string_view input) {
    const std::span<char> room = ahead.Buffer().Prepare(held);
    REQUIRE(room.size() == ReadBuffer::kBytes);
    std::copy(input.begin(), input.end(), room.begin());
    ahead.Add(ConnectionAt(index), seer, ahead.Buffer().Input(held, input.size()));
  }

  void HandleAll() {
    ahead.TakeAll([this](Connection& connection, std::string_view input) {
      const auto* const address = reinterpret_cast<const Place*>(&connection);
      handled.emplace_back(address - connections.data(), input);
    });
  }

  struct alignas(Connection) Place {
    char nothing;
  };
  std::array<Place, LookAhead::kCountMax> connections{};
  std::vector<std::string> seen;
  std::vector<std::pair<ptrdiff_t, std::string>> handled;
  Seer seer{seen};
  HeldInput held;
  LookAhead ahead;
};

TEST_CASE_METHOD(LookAheadFixture, "inputs wait unchanged and are handled in the order they came") {
  std::vector<std::pair<ptrdiff_t, std::string>> expected;
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < LookAhead::kCountMax; ++i) {
      REQUIRE(!ahead.IsFull());
      const std::string input(LookAhead::kInputBytesMax - i, static_cast<char>('a' + i));
      Receive(i, input);
      expected.emplace_back(i, input);
    }
    CHECK(ahead.IsFull());
    HandleAll();
  }
  CHECK(handled == expected);
  HandleAll();
  CHECK(handled.size() == expected.size());
}

TEST_CASE_METHOD(LookAheadFixture, "a closer look comes with the next input, or before handling") {
  Receive(0, "one");
  CHECK(seen == std::vector<std::string>{"ahead one"});
  Receive(1, "nothing");
  Receive(2, "three");
  HandleAll();
  CHECK(seen == std::vector<std::string>{"ahead one", "closer 3", "ahead nothing", "ahead three",
                                         "closer 5"});
}

TEST_CASE_METHOD(LookAheadFixture, "a connection that is closed meanwhile is not handled") {
  Receive(0, "one");
  Receive(1, "two");
  Receive(2, "three");
  ahead.Forget(ConnectionAt(2));  // and is not looked at either: its handler is gone
  ahead.Forget(ConnectionAt(0));
  HandleAll();
  CHECK(handled == std::vector<std::pair<ptrdiff_t, std::string>>{{1, "two"}});
  CHECK(std::find(seen.begin(), seen.end(), "closer 5") == seen.end());
}

TEST_CASE_METHOD(LookAheadFixture, "one that is closed while others are handled is left out") {
  Receive(0, "one");
  Receive(1, "two");
  size_t count = 0;
  ahead.TakeAll([&](Connection&, std::string_view) {
    ++count;
    ahead.Forget(ConnectionAt(1));
  });
  CHECK(count == 1);
}

TEST_CASE_METHOD(FrontEndFixture, "many clients that ask at the same time get their own answers") {
  Start();
  std::vector<TestClient> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(Connect());
  for (int round = 0; round < 20; ++round) {
    // Of all sizes around what waits and what does not; each tenth hangs up with its last request.
    const auto text_of = [round](size_t i) {
      return std::to_string(i) + std::string(i * 11, 'x') + std::to_string(round) + '\n';
    };
    for (size_t i = 0; i < clients.size(); ++i) {
      REQUIRE(clients[i].Send(text_of(i)));
      if (round == 19 && i % 10 == 0) clients[i].FinishSending();
    }
    for (size_t i = 0; i < clients.size(); ++i) {
      REQUIRE(clients[i].Read(text_of(i).size()) == text_of(i));
    }
  }
  CHECK(ClientsBecome(90));
  CHECK(stats.out_of_turn == 0);
}

}  // namespace
}  // namespace larder::server
