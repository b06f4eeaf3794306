// server/net/datagram_replies.h - the answers to one request that came as a datagram, kept apart
// until each is complete and its datagrams can be numbered.
//
//     [ answer | answer | answer under way .. ]      one buffer; BeginAnswer sets the bounds
//
// What one request may draw is bounded: UDP's senders are easily forged, and the answer goes to
// whom they pretend to be.
//
// Owner    copies everything, lent bytes too.
// Threads  the worker's thread.
// Errors   an answer above the bound is dropped as a whole, since a part of it is of no use, and so
//          are those after it: who asked finds answers missing at the end, not in the middle.
// Not here the datagrams themselves: udp_endpoint.h
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/reply_sink.h"
#include "protocol/udp_frame.h"

namespace larder::server {

class DatagramReplies final : public protocol::ReplySink {
 public:
  // For one request; an item of the default largest size (1 MiB) fits.
  static constexpr size_t kDatagramsMax = 1024;
  static constexpr size_t kBytesMax = kDatagramsMax * protocol::kUdpPayloadBytesMax;

  DatagramReplies();

  void Lend(std::string_view bytes, ReleaseFn release, void* opaque) override;
  // What was written since the last Compact: replies are taken faster than they are made.
  [[nodiscard]] size_t PendingBytes() const override { return Written() - compacted_bytes_; }

  // The answer under way is complete.
  void EndAnswer();
  // Forgets it.
  void DropAnswer();
  // It was begun, and nothing was written.
  [[nodiscard]] bool IsAnswerEmpty() const { return is_begun_ && Written() == AnswerBegin(); }

  // An answer was too large, so that neither it nor what follows will be sent.
  [[nodiscard]] bool IsOver() const { return is_over_ || is_too_large_; }

  [[nodiscard]] size_t AnswerCount() const { return ends_.size(); }
  // REQUIRES: index < AnswerCount(). Lends: until the next call that is not const.
  [[nodiscard]] std::string_view Answer(size_t index) const;
  // Forgets the complete answers; the one under way stays.
  void Compact();
  // Forgets everything.
  void Clear();

 private:
  void Grow(size_t bytes) override;
  void OnBeginAnswer() override;
  void Resize(size_t capacity_bytes);
  [[nodiscard]] size_t Written() const { return static_cast<size_t>(cursor_ - buffer_.get()); }
  [[nodiscard]] size_t AnswerBegin() const { return ends_.empty() ? 0 : ends_.back(); }

  std::unique_ptr<char[]> buffer_;
  std::vector<size_t> ends_;  // of the complete answers, in buffer_
  size_t compacted_bytes_ = 0;
  bool is_begun_ = false;      // the answer under way has been, by BeginAnswer
  bool is_too_large_ = false;  // the answer under way is
  bool is_over_ = false;       // one was, and no further answer counts
};

}  // namespace larder::server
