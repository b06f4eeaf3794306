// server/commands/pending_store.h - a value on its way from the stream into its chunk.
//
// The chunk is taken before the first byte of the value is looked at, so that bytes go where
// they belong at once: copied from the input as far as they are there, and of a large value the
// rest straight from the socket. In text, the two bytes behind the value decide whether it counts.
//
// The protocols differ in how a value ends and in what is answered to it. That is known here, so
// that a value's way is the same in all of them: see protocol_session.h.
//
// Owner    holds the chunk from Begin to Finish; destruction or Begin gives it back. The answer to
//          an `ms` needs its flags and its key: they are lent from the turn in which it began, and
//          copied if the value, or a large result, takes longer than that.
// Threads  the worker's own.
// Not here what is refused and what is answered: storage.h
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "protocol/limits.h"
#include "protocol/meta_arguments.h"
#include "protocol/outcome.h"
#include "protocol/reply_sink.h"
#include "protocol/request.h"
#include "server/commands/binary_answer.h"
#include "server/commands/storage.h"
#include "server/commands/worker_context.h"
#include "server/net/stream_handler.h"
#include "slab/cache.h"

namespace larder::server {

class PendingStore {
 public:
  // Takes the chunk. Any status but kNone is the refusal to answer; nothing is pending then.
  // `asker`: of a request in the binary protocol.
  [[nodiscard]] protocol::Status Begin(WorkerContext& context, const protocol::Request& request,
                                       const BinaryAsker& asker = {});

  // --- room ----------------------------------------------------------------------------------
  // Whether there is no memory for the value yet. Nothing of it may be filled in before TakeRoom is
  // kReady.
  [[nodiscard]] bool AwaitsRoom() const {
    return reservation_.Status() == slab::ReserveStatus::kAwaitsRoom;
  }
  // `waker` is used when TakeRoom has more to say than kWaiting. The request outlives its turn.
  void AwaitRoom(WorkerContext& context, std::shared_ptr<Waker> waker);
  [[nodiscard]] slab::RoomStatus TakeRoom(WorkerContext& context) {
    return context.cache.TakeRoom(context.worker, reservation_);
  }
  // What to answer after kRefused.
  [[nodiscard]] protocol::Status RefuseRoom(WorkerContext& context) {
    return server::RefuseRoom(context, reservation_, commit_, drops_on_refusal_);
  }

  // --- bytes ---------------------------------------------------------------------------------
  // Copies what `input` has of the value; returns how many bytes that were.
  size_t Fill(std::string_view input);

  // The part of the value that is still to come. Lends: until Finish.
  [[nodiscard]] std::span<char> Unfilled() const {
    return reservation_.Value().subspan(filled_bytes_);
  }
  // Says that the next `bytes` of Unfilled() have been written.
  void Advance(size_t bytes) { filled_bytes_ += static_cast<uint32_t>(bytes); }
  [[nodiscard]] bool IsFull() const { return Unfilled().empty(); }
  // What is still to come of the value and what ends it.
  [[nodiscard]] size_t MissingBytes() const {
    return size_t{value_bytes_} - filled_bytes_ + ValueEndBytes();
  }

  // The rest of the value comes in a later turn. False: too much memory waits for values already;
  // the chunk is given back, and what is left of the value is to be dropped.
  [[nodiscard]] bool KeepUnderWay(WorkerContext& context);
  // Whether the client wants to hear of that: `q` hides this error and no other, noreply all.
  [[nodiscard]] bool IsSilentOn(protocol::Status error) const {
    if (error == protocol::Status::kNoMemoryDuringRead) return is_cut_short_silently_;
    return dialect_ == Dialect::kClassicNoreply;
  }

  // How many bytes come behind the value and belong to it.
  [[nodiscard]] size_t ValueEndBytes() const {
    return dialect_ == Dialect::kBinary ? 0 : protocol::kValueEndBytes;
  }
  // `value_end`: the ValueEndBytes() bytes that came behind the value.
  // None: a large result is still to be made, by Continue. The request outlives its turn.
  // REQUIRES: IsFull()
  [[nodiscard]] std::optional<protocol::Outcome> Finish(WorkerContext& context,
                                                        std::string_view value_end);

  // --- a large result ------------------------------------------------------------------------
  // `waker` is used when Continue has something to do after it awaited room. Before it.
  void AwaitResult(WorkerContext& context, std::shared_ptr<Waker> waker);
  // Does as much as a turn has time for. None: there is more, see AwaitsRoomForResult.
  [[nodiscard]] std::optional<protocol::Outcome> Continue(WorkerContext& context) {
    return ContinueCommit(context, unfinished_, commit_.mode, &result_awaits_room_);
  }
  [[nodiscard]] bool AwaitsRoomForResult() const { return result_awaits_room_; }

  // Says what became of it, if anybody wants to hear. Once, after the outcome is known.
  void Answer(const WorkerContext& context, const protocol::Outcome& outcome,
              protocol::ReplySink& replies);

 private:
  enum class Dialect : uint8_t { kClassic, kClassicNoreply, kMeta, kBinary };
  struct KeptRequest {
    protocol::MetaArguments meta;
    std::array<char, protocol::kKeyBytesMax> key;
  };

  // The request is needed after its turn.
  void Keep(const WorkerContext& context);

  slab::Reservation reservation_;
  slab::CommitSpec commit_;
  slab::UnfinishedStore unfinished_;   // an append or a prepend with a large result
  std::unique_ptr<KeptRequest> kept_;  // of an `ms` whose value takes more than one turn
  std::string_view key_;               // of an `ms`
  BinaryAsker asker_ = {};             // kBinary
  uint32_t value_bytes_ = 0;
  uint32_t filled_bytes_ = 0;
  Dialect dialect_ = Dialect::kClassic;
  bool is_cut_short_silently_ = false;
  bool drops_on_refusal_ = false;
  bool counted_ = false;  // as cmd_set
  bool result_awaits_room_ = false;
};

// A store for one value, and back when it is done with. Connections are many and have none while
// no value of theirs is under way; each worker keeps one, so that a value which arrives whole costs
// no allocation.
[[nodiscard]] std::unique_ptr<PendingStore> TakeStore(WorkerContext& context);
void GiveBackStore(WorkerContext& context, std::unique_ptr<PendingStore> store);

}  // namespace larder::server
