// server/commands/protocol_session.h - what the conversations of all protocols have in common: they
// go by turns, and between requests there are a few things to do.
//
//     requests -+-> room     memory for a very large value is awaited      -+
//        ^      +-> value    bytes of a value that is stored, after room    |
//        |      +-> result   after the value of an append: what it makes    |
//        |      +-> swallow  bytes that nobody wants: refused, or too many  |
//        |      '-> feed     an answer that somebody else produces          |
//        '--------------------- one step of work -------------------------- '
//
// A result is made here only if it is large, a slice each turn (slab/large_concatenation.h), when
// the client has taken all answers before it: what is held for it is never held by a slow reader.
//
// A protocol brings along how its requests are read and carried out, and how a refusal is told.
// It is asked for a stretch of requests at a time, not for each: a turn of many, values that have
// arrived whole included, is one virtual call.
//
// Owner    the session owns the chunk of a value under way, and its feed.
// Threads  the worker's own, between the start and the end of a turn; DirectInput and its answer
//          touch nothing but the chunk.
// Errors   Next::kRefuse: the stream is none of this protocol's.
// Not here requests: session.h, binary_session.h. How a value ends and what is answered to it:
//          pending_store.h
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "protocol/outcome.h"
#include "protocol/parse_result.h"
#include "server/commands/pending_store.h"
#include "server/commands/worker_context.h"
#include "server/net/stream_handler.h"

namespace larder::server {

class ProtocolSession : public StreamHandler {
 public:
  // While more reply bytes than this wait for the client, no further request is carried out.
  static constexpr size_t kPendingReplyBytesMax = 256 * 1024;
  // The rest of a value is read straight into its chunk from this size on; a smaller one is
  // cheaper to copy than to read apart from what follows it.
  static constexpr size_t kDirectInputBytesMin = 4096;

  StreamStep OnInput(std::string_view input, uint32_t requests_max,
                     protocol::ReplySink& replies) override;
  [[nodiscard]] std::span<char> DirectInput() override;
  StreamStep OnDirectInput(size_t bytes, protocol::ReplySink& replies) override;
  void LookCloser(uint64_t foreseen) const override { context_.cache.LookCloser(foreseen); }
  [[nodiscard]] Wants Wanted() const override;
  [[nodiscard]] bool GoesOnWithoutPeer() const override {
    return feed_ == nullptr || feed_->GoesOnWithoutPeer();
  }

 protected:
  // One step of work: nullopt to go on, or what the turn ends with.
  using Step = std::optional<StreamStep::Next>;

  // What one call of OnInput works on.
  struct Turn {
    std::string_view rest;
    uint32_t requests_left;
    protocol::ReplySink& replies;
    size_t consumed_bytes = 0;

    std::string_view Consume(size_t bytes) {
      const std::string_view taken = rest.substr(0, bytes);
      rest.remove_prefix(bytes);
      consumed_bytes += bytes;
      return taken;
    }
    [[nodiscard]] bool IsBlocked() const { return replies.PendingBytes() > kPendingReplyBytesMax; }
  };

  ProtocolSession(WorkerContext& context, ConnectionLink& link) : context_(context), link_(link) {}

  // --- the protocol's part ---------------------------------------------------------------------
  // Carries out what is in the input, one request or more, while TakesRequests() and the turn is
  // not blocked.
  virtual Step TakeRequests(Turn& turn) = 0;
  // The value under way gets no room, or no more: calls Swallow.
  virtual void RefuseValue(uint32_t missing_bytes, protocol::Status why) = 0;
  // Says what was wrong with the bytes that have been swallowed.
  virtual void AnswerRefusal(protocol::Status error, protocol::ReplySink& replies) = 0;

  // --- what it builds on -----------------------------------------------------------------------
  [[nodiscard]] bool TakesRequests() const { return phase_ == Phase::kRequests; }
  // What the turn ends with if it is not the time for a request.
  [[nodiscard]] static Step BeforeRequest(const Turn& turn) {
    if (turn.rest.empty()) return StreamStep::Next::kNeedInput;
    if (turn.requests_left == 0) return StreamStep::Next::kYield;
    return std::nullopt;
  }
  // Counts what was parsed as a request of the turn, an erroneous one, too. What the turn ends with
  // if it is none.
  [[nodiscard]] static Step AfterParsing(Turn& turn, protocol::ParseStatus status) {
    using protocol::ParseStatus;
    if (status == ParseStatus::kNeedMore) return StreamStep::Next::kNeedInput;
    if (status == ParseStatus::kClose) return StreamStep::Next::kRefuse;
    --turn.requests_left;
    return std::nullopt;
  }
  // What to look ahead for if the next bytes are a request about `key`.
  [[nodiscard]] uint64_t Foresee(std::string_view key) const {
    return phase_ == Phase::kRequests && !key.empty() ? context_.cache.LookAhead(key) : 0;
  }
  // If the handler that has just returned left one: its answer comes before anything else.
  void TakeFeed();
  // REQUIRES: store_ has begun.
  Step StartValue(Turn& turn);
  // kNone: nothing is answered. The answer waits for the last of the bytes: only then can the
  // client have read it as the answer to this request and not to one before.
  void Swallow(uint32_t bytes, protocol::Status error);

  WorkerContext& context_;
  ConnectionLink& link_;
  std::unique_ptr<PendingStore> store_;  // kRoom, kValue, kResult

 private:
  enum class Phase : uint8_t { kRequests, kRoom, kValue, kResult, kSwallow, kFeed };

  // Of a request that was parsed and has not ended: 1.
  [[nodiscard]] uint32_t UnfinishedCount() const { return TakesRequests() ? 0 : 1; }
  StreamStep::Next Run(Turn& turn);
  Step Proceed(Turn& turn);
  Step ContinueRoom(Turn& turn);
  Step ContinueValue(Turn& turn);
  Step AwaitValue();
  Step ContinueResult(Turn& turn);
  void FinishValue(const protocol::Outcome& outcome, Turn& turn);
  Step GiveUpValue(protocol::Status why);
  Step ContinueSwallowing(Turn& turn);
  Step DrainFeed(Turn& turn);

  std::unique_ptr<Feed> feed_;  // kFeed
  uint32_t swallow_bytes_ = 0;  // still to come
  Phase phase_ = Phase::kRequests;
  protocol::Status swallow_error_ = protocol::Status::kNone;  // answered at the end
};

}  // namespace larder::server
