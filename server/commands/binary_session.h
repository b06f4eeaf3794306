// server/commands/binary_session.h - one client's conversation in the binary protocol.
//
//     packet -+-> value    bytes of a value that is stored               -+
//        ^    +-> feed     an answer that somebody else produces          |
//        |    '-> swallow  bytes that nobody wants: refused, or too many  |
//        '---------------------- one step of work ----------------------- '
//
// The same commands on the same handlers as in text; here is only what the framing asks for: a
// packet says how long it is, so that whatever is wrong with it the next one is found, and one
// that cannot be what its sender meant ends the conversation.
//
// Owner    the text session owns it, from the first byte on; it owns the chunk of a value that is
//          under way.
// Threads  the worker's own, between the start and the end of a turn.
// Errors   a stream that is no binary protocol ends in Next::kRefuse.
// Not here the packets: protocol/binary_parser.h. Look-ups: binary_retrieval.h
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "protocol/binary_parser.h"
#include "protocol/outcome.h"
#include "server/commands/pending_store.h"
#include "server/commands/worker_context.h"
#include "server/net/stream_handler.h"

namespace larder::server {

class BinarySession final : public StreamHandler {
 public:
  BinarySession(WorkerContext& context, ConnectionLink& link) : context_(context), link_(link) {}

  StreamStep OnInput(std::string_view input, uint32_t requests_max,
                     protocol::ReplySink& replies) override;
  [[nodiscard]] std::span<char> DirectInput() override;
  StreamStep OnDirectInput(size_t bytes, protocol::ReplySink& replies) override;
  [[nodiscard]] Wants Wanted() const override;

 private:
  enum class Phase : uint8_t { kPacket, kValue, kFeed, kSwallow };
  struct Turn;
  // One step of work: nullopt to go on, or what the turn ends with.
  using Step = std::optional<StreamStep::Next>;
  // Whom an answer that has to wait goes to.
  struct Asker {
    protocol::BinaryEcho echo = {};
    const protocol::BinaryOpcode* opcode = nullptr;
  };

  StreamStep::Next Run(Turn& turn);
  Step Proceed(Turn& turn);
  Step NextPacket(Turn& turn);
  Step CarryOut(Turn& turn);
  Step Refuse(Turn& turn);
  Step Handle(Turn& turn);
  Step ShowStats(Turn& turn);
  Step DrainFeed(Turn& turn);
  Step LookUp(Turn& turn);
  Step BeginValue(Turn& turn);
  Step ContinueValue(Turn& turn);
  Step AwaitValue();
  Step ContinueSwallowing(Turn& turn);
  void Swallow(uint32_t bytes);
  void SwallowThenAnswer(uint32_t bytes, protocol::Status error, protocol::BinaryEcho echo);

  WorkerContext& context_;
  ConnectionLink& link_;
  std::unique_ptr<PendingStore> store_;  // kValue
  std::unique_ptr<Feed> feed_;           // kFeed
  Asker asker_;                          // kValue; kSwallow: its echo
  uint32_t swallow_bytes_ = 0;           // kSwallow: still to come
  Phase phase_ = Phase::kPacket;
  protocol::Status swallow_error_ = protocol::Status::kNone;  // kSwallow: answered at the end
};

[[nodiscard]] std::unique_ptr<StreamHandler> MakeBinarySession(WorkerContext& context,
                                                               ConnectionLink& link);

}  // namespace larder::server
