#include "server/commands/protocol_session.h"

#include <algorithm>
#include <utility>

namespace larder::server {

using protocol::Status;
using Next = StreamStep::Next;

StreamStep ProtocolSession::OnInput(std::string_view input, uint32_t requests_max,
                                    protocol::ReplySink& replies) {
  context_.connection = &link_;
  context_.cache.SetOrigin(context_.worker, link_.Fd());
  Turn turn{.rest = input, .requests_left = requests_max, .replies = replies};
  const uint32_t unfinished_before = UnfinishedCount();
  const Next next = Run(turn);
  context_.cache.Quiesce(context_.worker);
  const uint32_t parsed_count = requests_max - turn.requests_left;
  return {.next = next,
          .request_count = unfinished_before + parsed_count - UnfinishedCount(),
          .consumed_bytes = turn.consumed_bytes};
}

Next ProtocolSession::Run(Turn& turn) {
  for (;;) {
    if (feed_ != nullptr && feed_->IsHopeless()) return Next::kAbort;
    if (turn.IsBlocked()) return Next::kBlocked;
    if (const Step end = Proceed(turn)) return *end;
  }
}

ProtocolSession::Step ProtocolSession::Proceed(Turn& turn) {
  switch (phase_) {
    case Phase::kRequests:
      return TakeRequests(turn);
    case Phase::kRoom:
      return ContinueRoom(turn);
    case Phase::kValue:
      return ContinueValue(turn);
    case Phase::kResult:
      return ContinueResult(turn);
    case Phase::kSwallow:
      return ContinueSwallowing(turn);
    case Phase::kFeed:
      return DrainFeed(turn);
  }
  return Next::kAbort;
}

// --- feeds -------------------------------------------------------------------------------------

void ProtocolSession::TakeFeed() {
  if (context_.feed == nullptr) return;
  feed_ = std::move(context_.feed);
  phase_ = Phase::kFeed;
}

ProtocolSession::Step ProtocolSession::DrainFeed(Turn& turn) {
  switch (feed_->Drain(turn.replies)) {
    case Feed::State::kWaiting:
      return Next::kAwait;
    case Feed::State::kMore:
      return Next::kYield;
    case Feed::State::kDone:
      feed_.reset();
      phase_ = Phase::kSwallow;  // of what stood behind the request, nothing mostly
      return std::nullopt;
    case Feed::State::kShutdown:
      return Next::kShutdown;
  }
  return Next::kAbort;
}

// --- values ------------------------------------------------------------------------------------

ProtocolSession::Step ProtocolSession::StartValue(Turn& turn) {
  if (!store_->AwaitsRoom()) [[likely]]
    return ContinueValue(turn);
  phase_ = Phase::kRoom;
  store_->AwaitRoom(context_, link_.GetWaker());
  return std::nullopt;
}

// The bytes of the value that have come stay with the connection, and no more are received.
ProtocolSession::Step ProtocolSession::ContinueRoom(Turn& turn) {
  switch (store_->TakeRoom(context_)) {
    case slab::RoomStatus::kReady:
      return ContinueValue(turn);
    case slab::RoomStatus::kWaiting:
      return Next::kAwait;
    case slab::RoomStatus::kRefused:
      break;
  }
  return GiveUpValue(store_->RefuseRoom(context_));
}

ProtocolSession::Step ProtocolSession::GiveUpValue(Status why) {
  RefuseValue(static_cast<uint32_t>(store_->MissingBytes()), why);
  GiveBackStore(context_, std::move(store_));
  return std::nullopt;
}

ProtocolSession::Step ProtocolSession::ContinueValue(Turn& turn) {
  turn.Consume(store_->Fill(turn.rest));
  if (!store_->IsFull() || turn.rest.size() < store_->ValueEndBytes()) return AwaitValue();
  const std::string_view value_end = turn.Consume(store_->ValueEndBytes());
  if (const auto outcome = store_->Finish(context_, value_end)) [[likely]] {
    FinishValue(*outcome, turn);
    return std::nullopt;
  }
  phase_ = Phase::kResult;
  store_->AwaitResult(context_, link_.GetWaker());
  return std::nullopt;
}

void ProtocolSession::FinishValue(const protocol::Outcome& outcome, Turn& turn) {
  store_->Answer(context_, outcome, turn.replies);
  GiveBackStore(context_, std::move(store_));
  phase_ = Phase::kRequests;
}

ProtocolSession::Step ProtocolSession::ContinueResult(Turn& turn) {
  if (turn.replies.PendingBytes() > 0) return Next::kBlocked;
  if (const auto outcome = store_->Continue(context_)) {
    FinishValue(*outcome, turn);
    return std::nullopt;
  }
  return store_->AwaitsRoomForResult() ? Next::kAwait : Next::kYield;
}

// As memcached does when it runs out of memory half-way: the rest is dropped, the old item stays.
ProtocolSession::Step ProtocolSession::AwaitValue() {
  phase_ = Phase::kValue;
  if (store_->KeepUnderWay(context_)) return Next::kNeedInput;
  return GiveUpValue(Status::kNoMemoryDuringRead);
}

std::span<char> ProtocolSession::DirectInput() {
  if (phase_ != Phase::kValue) return {};
  const std::span<char> unfilled = store_->Unfilled();
  return unfilled.size() >= kDirectInputBytesMin ? unfilled : std::span<char>{};
}

StreamStep ProtocolSession::OnDirectInput(size_t bytes, protocol::ReplySink& replies) {
  store_->Advance(bytes);
  const bool is_complete = store_->IsFull() && store_->ValueEndBytes() == 0;
  return is_complete ? OnInput({}, 0, replies) : StreamStep{};
}

StreamHandler::Wants ProtocolSession::Wanted() const {
  if (phase_ == Phase::kValue || phase_ == Phase::kRoom) return Wants::kValue;
  return phase_ == Phase::kSwallow ? Wants::kRefusedValue : Wants::kRequest;
}

void ProtocolSession::Swallow(uint32_t bytes, Status error) {
  swallow_bytes_ = bytes;
  swallow_error_ = error;
  phase_ = Phase::kSwallow;
}

ProtocolSession::Step ProtocolSession::ContinueSwallowing(Turn& turn) {
  const size_t bytes = std::min<size_t>(swallow_bytes_, turn.rest.size());
  turn.Consume(bytes);
  swallow_bytes_ -= static_cast<uint32_t>(bytes);
  if (swallow_bytes_ != 0) return Next::kNeedInput;
  const Status error = std::exchange(swallow_error_, Status::kNone);
  if (error != Status::kNone) AnswerRefusal(error, turn.replies);
  phase_ = Phase::kRequests;
  return std::nullopt;
}

}  // namespace larder::server
