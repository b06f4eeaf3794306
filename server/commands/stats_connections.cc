// `stats conns`: who is connected, from where, and what each connection is doing.

#include <array>
#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "protocol/text_encoder.h"
#include "server/commands/stats.h"
#include "server/net/connection_facts.h"

namespace larder::server {

using protocol::Outcome;
using protocol::ReplySink;
using protocol::Status;

namespace {

// In the order of ConnectionFacts::State.
constexpr std::array<std::string_view, 9> kStates = {
    "conn_listening", "conn_new_cmd", "conn_read",      "conn_nread",   "conn_swallow",
    "conn_mwrite",    "conn_watch",   "conn_parse_cmd", "conn_closing",
};

// What the connection that asks and the thread that gathers the facts share.
struct Gathering {
  SharedConnectionFacts facts;
  std::atomic<bool> is_done{false};  // release and acquire hand over the facts
};

class ConnectionsFeed final : public Feed {
 public:
  ConnectionsFeed(std::shared_ptr<Gathering> gathering, int asking_fd)
      : gathering_(std::move(gathering)), asking_fd_(asking_fd) {}

  [[nodiscard]] State Drain(ReplySink& replies) override {
    constexpr size_t kConnectionsPerTurn = 256;
    if (!gathering_->is_done.load(std::memory_order_acquire)) return State::kWaiting;
    TextStatSink sink(replies);
    const auto& facts = *gathering_->facts;
    for (size_t i = 0; i < kConnectionsPerTurn && next_ < facts.size(); ++i) {
      Write(facts[next_++], sink);
    }
    if (next_ < facts.size()) return State::kMore;
    WriteStatus(Status::kEnd, replies);
    return State::kDone;
  }

 private:
  void Write(const ConnectionFacts& facts, StatSink& sink) const {
    // Who asks is parsing, as far as clients have ever known.
    const auto state = facts.fd == asking_fd_ ? ConnectionFacts::State::kParsing : facts.state;
    StatWriter writer(sink, fmt::format("{}:", facts.fd));
    if (facts.is_udp) writer.Add("UDP", std::string_view("UDP"));
    writer.Add("addr", std::string_view{facts.address});
    if (!facts.listen_address.empty()) {
      writer.Add("listen_addr", std::string_view{facts.listen_address});
    }
    writer.Add("state", kStates[static_cast<size_t>(state)]);
    writer.Add("secs_since_last_cmd", uint64_t{facts.seconds_since_last_command});
  }

  const std::shared_ptr<Gathering> gathering_;
  const int asking_fd_;
  size_t next_ = 0;
};

}  // namespace

Outcome HandleStatsConnections(WorkerContext& context) {
  if (context.connection->IsDatagram()) return {.status = Status::kUnknownCommand};
  auto gathering = std::make_shared<Gathering>();
  context.feed = std::make_unique<ConnectionsFeed>(gathering, context.connection->Fd());
  context.environment.Server().DescribeConnections(
      [gathering, waker = context.connection->GetWaker()](SharedConnectionFacts facts) {
        gathering->facts = std::move(facts);
        gathering->is_done.store(true, std::memory_order_release);
        waker->Wake();
      });
  return {};
}

}  // namespace larder::server
