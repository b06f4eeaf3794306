// append and prepend that make a large value: a turn for each slice, and the worker's other clients
// are served in between.
#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include "tests/server/commands/conversation.h"

namespace larder::server {
namespace {

using Next = StreamStep::Next;

constexpr size_t kOldBytes = 4 * slab::kMiB;
constexpr size_t kSliceBytes = 256 * 1024;

// Two clients of one worker, one of which the test calls turn by turn.
class TwoClients {
 public:
  TwoClients() {
    other_.fd = 27;
    client.service->OnTurnStart();
    slow_ = client.service->MakeHandler(other_);
    client.service->OnTurnEnd();
    const std::string set = "set k 0 0 " + std::to_string(kOldBytes) + "\r\n";
    REQUIRE(client.Say(set + std::string(kOldBytes, 'o') + "\r\n") == "STORED\r\n");
  }
  ~TwoClients() { GoAway(); }
  TwoClients(const TwoClients&) = delete;
  TwoClients& operator=(const TwoClients&) = delete;

  // One turn of the other client, after it has sent this.
  Next Turn(const std::string& more = "") {
    unread_ += more;
    client.service->OnTurnStart();
    const StreamStep step = slow_->OnInput(unread_, Conversation::kRequestsPerTurn, replies);
    client.service->OnTurnEnd();
    unread_.erase(0, step.consumed_bytes);
    return step.next;
  }
  void GoAway() {
    client.service->OnTurnStart();
    slow_.reset();
    client.service->OnTurnEnd();
  }
  void BeDatagram() { other_.is_datagram = true; }
  uint64_t LentBytes() {
    for (int i = 0; i < 3; ++i) client.PassSeconds(1);
    return client.cache->Stats().extent_bytes;
  }

  Conversation client{CommandOptions{.item_bytes_max = 16 * slab::kMiB},
                      {.limit_bytes = 64 * slab::kMiB, .item_bytes_max = 16 * slab::kMiB}};
  protocol::StringSink replies;

 private:
  FakeLink other_;
  std::unique_ptr<StreamHandler> slow_;
  std::string unread_;
};

TEST_CASE("between the slices of a large append others are answered, and it is answered in order") {
  TwoClients clients;
  const std::string old_size = "HD s" + std::to_string(kOldBytes) + "\r\n";
  Next next = clients.Turn("append k 0 0 3\r\nend\r\nmg k s\r\n");
  size_t turns = 0;
  for (; next == Next::kYield; ++turns) {
    REQUIRE(clients.replies.PendingBytes() == 0);
    REQUIRE(clients.client.Say("mg k s\r\n") == old_size);
    next = clients.Turn();
  }
  CHECK(next == Next::kNeedInput);
  CHECK(turns == kOldBytes / kSliceBytes);  // the three bytes more take one of their own
  const std::string new_size = "HD s" + std::to_string(kOldBytes + 3) + "\r\n";
  CHECK(clients.replies.Take() == "STORED\r\n" + new_size);
  CHECK(clients.client.Say("mg k s\r\n") == new_size);
}

TEST_CASE("a client that goes away in the middle of a large append leaves nothing behind") {
  TwoClients clients;
  const uint64_t before = clients.LentBytes();
  REQUIRE(clients.Turn("prepend k 0 0 3\r\nend\r\n") == Next::kYield);
  REQUIRE(clients.Turn() == Next::kYield);
  CHECK(clients.client.cache->Stats().extent_bytes > before);
  clients.GoAway();
  CHECK(clients.LentBytes() == before);
  CHECK(clients.client.Say("mg k s\r\n") == "HD s" + std::to_string(kOldBytes) + "\r\n");
}

TEST_CASE("a large append begins when the answers before it are taken") {
  TwoClients clients;
  const uint64_t before = clients.LentBytes();
  REQUIRE(clients.Turn("mn\r\n") == Next::kNeedInput);
  REQUIRE(clients.Turn("append k 0 0 3\r\nend\r\n") == Next::kBlocked);
  CHECK(clients.client.cache->Stats().extent_bytes == before);
  CHECK(clients.replies.Take() == "MN\r\n");
  Next next = clients.Turn();
  REQUIRE(next == Next::kYield);
  while (next == Next::kYield) next = clients.Turn();
  CHECK(clients.replies.Take() == "STORED\r\n");
}

TEST_CASE("a large append by a datagram is done in its one turn") {
  TwoClients clients;
  clients.BeDatagram();
  REQUIRE(clients.Turn("append k 0 0 3\r\nend\r\n") == Next::kNeedInput);
  CHECK(clients.replies.Take() == "STORED\r\n");
}

TEST_CASE("a meta append that takes many turns is answered with its own flags and key") {
  TwoClients clients;
  Next next = clients.Turn("ms k 3 MA k s O77\r\nend\r\n");
  while (next == Next::kYield) {
    clients.client.Say("ms another-key 1 k O1 MS\r\nx\r\n");
    next = clients.Turn();
  }
  CHECK(clients.replies.Take() == "HD kk s" + std::to_string(kOldBytes + 3) + " O77\r\n");
}

}  // namespace
}  // namespace larder::server
