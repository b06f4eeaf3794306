#include "tests/bench/replay_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <initializer_list>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

namespace larder::bench {
namespace {

// What a server is like, for one connection.
struct Manners {
  size_t refused_above_bytes = 1 << 20;  // larger values are answered with an error
  std::string stored_as = {};            // if not empty, every value comes back as this
  bool forgets = false;                  // nothing is found again
};

// A text server with a map in it, on a thread of its own, until its one client has gone.
class MapServer {
 public:
  explicit MapServer(Manners manners = {}) : manners_(std::move(manners)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto size = static_cast<socklen_t>(sizeof address);
    REQUIRE(bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(listen(listener_, 1) == 0);
    REQUIRE(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }

  ~MapServer() {
    thread_.join();
    close(listener_);
  }

  [[nodiscard]] uint16_t Port() const { return port_; }

 private:
  void Serve() {
    const int client = accept(listener_, nullptr, nullptr);
    std::string in;
    char buffer[4096];
    for (ssize_t count = 0; (count = recv(client, buffer, sizeof buffer, 0)) > 0;) {
      in.append(buffer, static_cast<size_t>(count));
      std::string out;
      while (TakeRequest(in, out)) {
      }
      send(client, out.data(), out.size(), MSG_NOSIGNAL);
    }
    close(client);
  }

  bool TakeRequest(std::string& in, std::string& out) {
    const size_t line_end = in.find("\r\n");
    if (line_end == std::string::npos) return false;
    std::istringstream line(in.substr(0, line_end));
    std::string command, key;
    line >> command;
    size_t taken = line_end + 2;
    if (command == "set") {
      size_t flags = 0, exptime = 0, bytes = 0;
      line >> key >> flags >> exptime >> bytes;
      if (in.size() < taken + bytes + 2) return false;
      out += Set(key, in.substr(taken, bytes));
      taken += bytes + 2;
    } else if (command == "get") {
      while (line >> key) {
        if (!items_.contains(key)) continue;
        out += "VALUE " + key + " 0 " + std::to_string(items_[key].size()) + "\r\n" + items_[key] +
               "\r\n";
      }
      out += "END\r\n";
    } else if (command == "mg") {
      line >> key;
      out += items_.contains(key) ? "HD s" + std::to_string(items_[key].size()) + "\r\n" : "EN\r\n";
    }
    if (command == "stats") {
      out += "STAT pid 1\r\nSTAT curr_items " + std::to_string(items_.size()) + "\r\nEND\r\n";
    }
    in.erase(0, taken);
    return true;
  }

  std::string Set(const std::string& key, std::string value) {
    if (value.size() > manners_.refused_above_bytes) return "SERVER_ERROR out of memory\r\n";
    if (!manners_.stored_as.empty()) value = manners_.stored_as;
    if (!manners_.forgets) items_[key] = std::move(value);
    return "STORED\r\n";
  }

  const Manners manners_;
  std::map<std::string, std::string> items_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::thread thread_;
};

struct Played {
  std::optional<ReplayOutcome> outcome;
  std::string complaint;
};

Played Play(const Replay& replay, const Manners& manners = {}) {
  MapServer server(manners);
  TextClient client;
  REQUIRE(client.Connect(server.Port()));
  Played played;
  played.outcome = PlayReplay(replay, client);
  played.complaint = client.Complaint();
  return played;
}

Replay Sequence(std::initializer_list<uint32_t> items, uint32_t value_bytes = 30) {
  Replay replay{.requests = {}, .item_count = 1000};
  for (const uint32_t item : items) {
    replay.requests.push_back({.item = item, .value_bytes = value_bytes});
  }
  return replay;
}

TEST_CASE("A replay misses each item once on a server that keeps all, also twice in a batch") {
  const Played played = Play(Sequence({1, 2, 1, 1, 3, 2, 1}));
  REQUIRE(played.outcome);
  CHECK(played.outcome->misses.Total() == 3);
  CHECK(played.outcome->refused_count == 0);
}

TEST_CASE("A replay longer than a batch finds in later batches what earlier ones stored") {
  Replay replay = Sequence({});
  for (uint32_t i = 0; i < 1000; ++i) {
    replay.requests.push_back({.item = i % 100, .value_bytes = 5000});
  }
  const Played played = Play(replay);
  REQUIRE(played.outcome);
  CHECK(played.outcome->misses.Total() == 100);
}

TEST_CASE("A replay ends on a server that keeps nothing, and every request missed") {
  const Played played = Play(Sequence({1, 1, 1, 2, 2}), {.forgets = true});
  REQUIRE(played.outcome);
  CHECK(played.outcome->misses.Total() == 5);
  CHECK(played.outcome->held.item_count == 0);
}

TEST_CASE("What a server holds at the end is counted with its keys' and values' bytes") {
  const Played played = Play(Sequence({5, 6, 5}));
  REQUIRE(played.outcome);
  CHECK(played.outcome->current_items == 2);
  CHECK(played.outcome->held.item_count == 2);
  CHECK(played.outcome->held.key_bytes == 50);
  CHECK(played.outcome->held.value_bytes == 60);
}

TEST_CASE("A store that is refused is counted, and the replay goes on") {
  Replay replay = Sequence({1, 2, 2}, 30);
  replay.requests[0].value_bytes = 500;
  const Played played = Play(replay, {.refused_above_bytes = 100});
  REQUIRE(played.outcome);
  CHECK(played.outcome->refused_count == 1);
  CHECK(played.outcome->held.item_count == 1);
}

TEST_CASE("A value that is not the key's own ends the replay with a complaint") {
  const Played played = Play(Sequence({1, 1}), {.stored_as = "benchmark0000000000000002"});
  CHECK_FALSE(played.outcome);
  CHECK(played.complaint == "not the value of benchmark0000000000000001");
}

TEST_CASE("A trace's own keys and sizes go over the wire") {
  Replay replay = Sequence({0, 1, 0, 1}, 7);
  replay.item_count = 2;
  replay.keys = {"first", "the-second"};
  const Played played = Play(replay);
  REQUIRE(played.outcome);
  CHECK(played.outcome->misses.Total() == 2);
  CHECK(played.outcome->held.key_bytes == 15);
  CHECK(played.outcome->held.value_bytes == 14);
}

TEST_CASE("A replay with a clock takes its time") {
  Replay replay = Sequence({});
  for (uint32_t i = 0; i < 200; ++i) replay.requests.push_back({.item = i, .value_bytes = 1});
  replay.requests_per_second = 2000;
  const Played played = Play(replay);
  REQUIRE(played.outcome);
  CHECK(played.outcome->seconds >= 0.09);
}

TEST_CASE("A server that is not there is a complaint") {
  uint16_t port = 0;
  {
    MapServer server;
    port = server.Port();
    TextClient client;
    REQUIRE(client.Connect(port));
  }
  TextClient client;
  CHECK_FALSE(client.Connect(port));
  CHECK_THAT(client.Complaint(), Catch::StartsWith("cannot connect to 127.0.0.1:"));
}

}  // namespace
}  // namespace larder::bench
