// server/commands/session.h - one client's conversation: its bytes in, parsed, carried out and
// answered in order.
//
// A session is in one phase at a time, and each phase knows what to do with the next bytes:
//
//     first byte -> command -+-> value    bytes of a value that is stored      -+
//                       ^    +-> swallow  bytes of a value that was refused     |
//                       |    +-> keys     a retrieval with more keys than fit   |
//                       |    '-> feed     an answer that somebody else produces |
//                       '----------------- one step of work ------------------- '
//
// Everything that is waited for is kept here in a few words, so that an idle connection costs
// little; the bytes of a line that is not complete stay with the connection.
//
// Owner    the connection owns the session, the session the chunk of a value under way.
// Threads  the worker's own, between the start and the end of a turn; DirectInput and its answer
//          touch nothing but the chunk.
// Errors   a stream that is no text protocol ends in Next::kRefuse.
// Not here sockets and buffers: server/net. What commands do: handlers.h, retrieval.h, storage.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "protocol/parse_result.h"
#include "server/commands/pending_store.h"
#include "server/commands/worker_context.h"
#include "server/net/stream_handler.h"

namespace larder::server {

class Session final : public StreamHandler {
 public:
  // While more reply bytes than this wait for the client, no further request is carried out.
  static constexpr size_t kPendingReplyBytesMax = 256 * 1024;
  // The rest of a value is read straight into its chunk from this size on; a smaller one is
  // cheaper to copy than to read apart from what follows it.
  static constexpr size_t kDirectInputBytesMin = 4096;

  Session(WorkerContext& context, ConnectionLink& link) : context_(context), link_(link) {}

  StreamStep OnInput(std::string_view input, uint32_t requests_max,
                     protocol::ReplySink& replies) override;
  [[nodiscard]] std::span<char> DirectInput() override;
  StreamStep OnDirectInput(size_t bytes, protocol::ReplySink& replies) override;
  [[nodiscard]] Wants Wanted() const override;
  [[nodiscard]] bool GoesOnWithoutPeer() const override {
    return feed_ == nullptr || feed_->GoesOnWithoutPeer();
  }

 private:
  enum class Phase : uint8_t { kFirstByte, kCommand, kValue, kSwallow, kKeys, kFeed };
  struct Turn;
  // One step of work: nullopt to go on, or what the turn ends with.
  using Step = std::optional<StreamStep::Next>;

  StreamStep::Next Run(Turn& turn);
  Step Proceed(Turn& turn);
  Step MeetFirstByte(Turn& turn);
  Step NextRequest(Turn& turn);
  Step CarryOut(Turn& turn);
  Step RefuseRequest(Turn& turn);
  Step BeginValue(Turn& turn);
  Step ContinueValue(Turn& turn);
  Step AwaitValue();
  Step ContinueSwallowing(Turn& turn);
  Step Retrieve(Turn& turn);
  void SuspendRetrieval(Turn& turn);
  Step ContinueKeys(Turn& turn);
  Step DrainFeed(Turn& turn);
  void SwallowThenAnswer(size_t bytes, protocol::Status error, bool noreply);

  WorkerContext& context_;
  ConnectionLink& link_;
  std::unique_ptr<StreamHandler> binary_;  // once the first byte was a binary request's: everything
  std::unique_ptr<Feed> feed_;             // kFeed
  std::unique_ptr<PendingStore> store_;    // kValue
  int64_t keys_exptime_ = 0;               // kKeys
  uint32_t swallow_bytes_ = 0;             // kSwallow: still to come
  uint32_t keys_bytes_ = 0;                // kKeys: of the line, still in the input
  uint32_t keys_end_bytes_ = 0;            // kKeys: behind them, to the end of the line
  uint32_t scanned_bytes_ = 0;             // kCommand: of the input, known to hold no line end
  Phase phase_ = Phase::kFirstByte;
  protocol::Status swallow_error_ = protocol::Status::kNone;  // kSwallow: answered at the end
  bool swallow_noreply_ = false;                              // kSwallow
  protocol::Status keys_fault_ = protocol::Status::kNone;     // kKeys
  protocol::Command keys_command_ = protocol::Command::kGet;  // kKeys
};
static_assert(sizeof(Session) <= 88, "an idle connection must cost little");

}  // namespace larder::server
