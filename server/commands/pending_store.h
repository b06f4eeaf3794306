// server/commands/pending_store.h - a value on its way from the stream into its chunk.
//
// The chunk is taken before the first byte of the value is looked at, so that bytes go where
// they belong at once: copied from the input as far as they are there, and of a large value the
// rest straight from the socket. The two bytes behind the value decide whether it counts.
//
// Owner    holds the chunk from Begin to Finish; destruction or Begin gives it back.
// Threads  the worker's own.
// Not here what is refused and what is answered: storage.h
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/outcome.h"
#include "protocol/request.h"
#include "server/commands/worker_context.h"
#include "slab/cache.h"

namespace larder::server {

class PendingStore {
 public:
  // Takes the chunk. Any status but kNone is the refusal to answer; nothing is pending then.
  [[nodiscard]] protocol::Status Begin(WorkerContext& context, const protocol::Request& request);

  // Copies what `input` has of the value; returns how many bytes that were.
  size_t Fill(std::string_view input);

  // The part of the value that is still to come. Lends: until Finish.
  [[nodiscard]] std::span<char> Unfilled() const {
    return reservation_.Value().subspan(filled_bytes_);
  }
  // Says that the next `bytes` of Unfilled() have been written.
  void Advance(size_t bytes) { filled_bytes_ += static_cast<uint32_t>(bytes); }
  [[nodiscard]] bool IsFull() const { return Unfilled().empty(); }

  // The rest of the value comes in a later turn. False: too much memory waits for values already;
  // the chunk is given back, and what is left of the value is to be dropped.
  [[nodiscard]] bool KeepUnderWay(WorkerContext& context) {
    return context.cache.KeepUnderWay(reservation_);
  }

  // `value_end`: the kValueEndBytes bytes that came behind the value.
  // REQUIRES: IsFull()
  [[nodiscard]] protocol::Outcome Finish(WorkerContext& context, std::string_view value_end);

  [[nodiscard]] bool IsNoreply() const { return noreply_; }

 private:
  slab::Reservation reservation_;
  uint64_t cas_ = 0;
  uint32_t filled_bytes_ = 0;
  slab::StoreMode mode_ = slab::StoreMode::kSet;
  bool noreply_ = false;
};

}  // namespace larder::server
