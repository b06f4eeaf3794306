// tests/bench/reply_reader.h - reads what a memcached text server answers to a batch of requests
// and checks every byte of it, however the stream is cut.
//
// Owner    borrows the dataset and, until the batch is done, the batch's key ids.
// Threads  one thread at a time.
// Errors   Feed returns false at the first byte that should not be there; Complaint() then says
//          what was wrong, and the reader must not be used again.
// Not here sockets and clocks: load_connection.h
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tests/bench/dataset.h"

namespace larder::bench {

enum class Operation : uint8_t { kGet, kSet };

class ReplyReader {
 public:
  explicit ReplyReader(const Dataset& dataset);

  // From now on the server owes one reply for every `keys_per_request` of `key_ids`.
  // REQUIRES: Done(), and key_ids.size() is a multiple of keys_per_request.
  // Lends: `key_ids` must stay until Done().
  void StartBatch(Operation operation, std::span<const uint32_t> key_ids,
                  uint32_t keys_per_request);

  // Takes the next bytes of the stream.
  [[nodiscard]] bool Feed(std::string_view bytes);

  // True when every reply of the batch has been read.
  [[nodiscard]] bool Done() const { return state_ == State::kIdle; }
  // Replies read completely, hits and misses, all since construction.
  [[nodiscard]] uint64_t ReplyCount() const { return reply_count_; }
  [[nodiscard]] uint64_t HitCount() const { return hit_count_; }
  [[nodiscard]] uint64_t MissCount() const { return miss_count_; }
  [[nodiscard]] const std::string& Complaint() const { return complaint_; }

 private:
  enum class State : uint8_t { kIdle, kLine, kBody };

  bool FeedLine(std::string_view& bytes);
  bool FeedBody(std::string_view& bytes);
  bool TakeLine(std::string_view line);
  bool TakeValueLine(std::string_view line);
  void FinishReply();
  bool Complain(std::string_view what, std::string_view about);

  const Dataset& dataset_;
  const std::string value_line_end_;  // " <flags> <bytes>\r", what follows the key of a VALUE line

  State state_ = State::kIdle;
  Operation operation_ = Operation::kGet;
  std::span<const uint32_t> key_ids_;
  uint32_t keys_per_request_ = 1;
  size_t next_key_ = 0;       // index in key_ids_ of the next key that may be answered
  size_t reply_end_ = 0;      // index in key_ids_ where the present reply's keys end
  uint32_t body_offset_ = 0;  // in the body of key_ids_[next_key_]
  std::string part_line_;     // start of a line whose end has not come yet

  uint64_t reply_count_ = 0;
  uint64_t hit_count_ = 0;
  uint64_t miss_count_ = 0;
  std::string complaint_;
};

}  // namespace larder::bench
