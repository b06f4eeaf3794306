#include "server/commands/pipe.h"

#include <algorithm>
#include <string_view>

namespace larder::server {

CrawlJob::Progress PipeJob::Step(slab::Cache& cache, slab::Worker& worker) {
  if (pipe_->is_abandoned.load(std::memory_order_acquire)) return Progress::kDone;
  if (!is_produced_) {
    if (!WritePending()) return Stall();
    is_produced_ = !Produce(cache, worker, pending_);
  }
  if (is_produced_ && PendingFits()) return Progress::kDone;
  if (!WritePending() && is_produced_) return Stall();
  WakeNowAndThen();
  return Progress::kGoOn;
}

void PipeJob::Conclude() {
  if (!is_produced_ || pipe_->is_given_up.load(std::memory_order_relaxed)) return;
  if (!WritePending()) return;  // never: Step saw that it fits
  pipe_->is_complete.store(true, std::memory_order_release);
  pipe_->waker->Wake();
}

// A turn of the reader is worth while for a good piece, or when it has waited for several steps.
void PipeJob::WakeNowAndThen() {
  constexpr size_t kPieceBytes = kPipeBytes / 4;
  constexpr uint32_t kStepsMax = 16;
  ++steps_since_wake_;
  if (kPipeBytes - pipe_->bytes.FreeBytes() < kPieceBytes && steps_since_wake_ < kStepsMax) return;
  steps_since_wake_ = 0;
  pipe_->waker->Wake();
}

bool PipeJob::WritePending() {
  const std::string_view rest = std::string_view{pending_}.substr(written_bytes_);
  const size_t bytes = std::min(rest.size(), pipe_->bytes.FreeBytes());
  if (bytes != 0) {
    pipe_->bytes.Write(rest.substr(0, bytes));
    written_bytes_ += bytes;
    moved_s_ = clock_.NowSeconds();
  }
  if (written_bytes_ != pending_.size()) return false;
  pending_.clear();
  written_bytes_ = 0;
  return true;
}

CrawlJob::Progress PipeJob::Stall() {
  if (clock_.NowSeconds() - moved_s_ < kStallSecondsMax) {
    pipe_->writer_waits.store(true, std::memory_order_relaxed);
    WakeNowAndThen();
    return Progress::kBlocked;
  }
  pipe_->is_given_up.store(true, std::memory_order_release);
  pipe_->waker->Wake();
  return Progress::kDone;
}

PipeFeed::~PipeFeed() {
  pipe_->is_abandoned.store(true, std::memory_order_release);
  crawler_.Wake();
}

Feed::State PipeFeed::Drain(protocol::ReplySink& replies) {
  constexpr size_t kTurnBytesMax = 64 * 1024;
  // Looked at first: what is written before it is set is then seen below.
  const bool is_complete = pipe_->is_complete.load(std::memory_order_acquire);
  size_t room = kTurnBytesMax;
  while (room != 0) {
    const std::string_view piece = pipe_->bytes.Front().substr(0, room);
    if (piece.empty()) break;
    replies.Append(piece);
    pipe_->bytes.Pop(piece.size());
    room -= piece.size();
  }
  if (pipe_->writer_waits.exchange(false, std::memory_order_relaxed)) crawler_.Wake();
  if (room == 0) return State::kMore;
  return is_complete ? State::kDone : State::kWaiting;
}

}  // namespace larder::server
