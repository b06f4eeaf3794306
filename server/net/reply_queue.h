// server/net/reply_queue.h - reply bytes on their way to the socket.
//
// One ReplyQueue per worker serves its connections in turn. What a handler appends is gathered in
// one shared buffer and, in the common case, leaves with one send at the end of the connection's
// turn, so that an idle connection owns no reply memory. What the socket does not take moves to the
// connection's ReplyBacklog, lent bytes as they are and copied bytes once more.
//
//     handler -> [ copied | lent | copied ] -> socket
//                  the turn's pieces    \----> ReplyBacklog [ block | lent | block ] -> socket
//
// Owner    the queue belongs to the worker, a backlog to its connection. Lent bytes belong to their
//          lender; each is released exactly once, when sent or when it is dropped.
// Threads  the worker's thread.
// Errors   IoResult of the transport. An empty queue sends nothing and is kDone.
// Not here how much may wait before a connection stops reading: connection.h
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/reply_sink.h"
#include "server/net/net_counters.h"
#include "server/net/transport.h"

namespace larder::server {

// What one call sends at most, so that others have their turn: the system copies it, some 0.4 ms.
// The largest value without -I goes in one call; in two it would cost four changes of what is
// watched for, and a second turn.
inline constexpr size_t kSendBytesMax = 1024 * 1024;

struct ReplyPiece {
  const char* data = nullptr;
  size_t bytes = 0;
  protocol::ReplySink::ReleaseFn release = nullptr;  // null: bytes of the turn's own buffers
  void* opaque = nullptr;
};

// Replies that wait for one connection's socket.
class ReplyBacklog {
 public:
  explicit ReplyBacklog(BufferGauge& gauge);
  ReplyBacklog(const ReplyBacklog&) = delete;
  ReplyBacklog& operator=(const ReplyBacklog&) = delete;
  ~ReplyBacklog();

  void Copy(std::string_view bytes);
  // Takes over a piece that has a release function.
  void Take(const ReplyPiece& lent);
  [[nodiscard]] size_t PendingBytes() const { return pending_bytes_; }
  [[nodiscard]] IoResult Send(Transport& transport);

 private:
  void AddBlock(std::string_view bytes);

  BufferGauge& gauge_;
  std::vector<ReplyPiece> pieces_;
  size_t sent_piece_count_ = 0;  // released already, at the front of pieces_
  size_t tail_room_bytes_ = 0;   // behind the last piece, if that is a block of our own
  size_t pending_bytes_ = 0;
};

class ReplyQueue final : public protocol::ReplySink {
 public:
  explicit ReplyQueue(BufferGauge& gauge);
  ~ReplyQueue();

  // Starts the turn of the connection that owns `backlog`, which may hold null.
  // REQUIRES: the turn before was ended by Flush, Keep or Drop.
  void Attach(std::unique_ptr<ReplyBacklog>& backlog) { backlog_ = &backlog; }

  void Lend(std::string_view bytes, ReleaseFn release, void* opaque) override;
  [[nodiscard]] size_t PendingBytes() const override;

  // Ends the turn: sends what the socket takes, up to kSendBytesMax; the rest is the backlog's.
  [[nodiscard]] IoResult Flush(Transport& transport);
  // Ends the turn without sending: all of it is the backlog's.
  void Keep();
  // Ends the turn and forgets what it brought.
  void Drop();

 private:
  void Grow(size_t bytes) override;
  void CloseRange();
  IoResult FlushRange(Transport& transport, size_t bytes);
  void MoveToBacklog(std::span<const ReplyPiece> pieces);
  void Reset();

  BufferGauge& gauge_;
  std::unique_ptr<ReplyBacklog>* backlog_ = nullptr;
  std::unique_ptr<char[]> first_block_;
  std::vector<std::unique_ptr<char[]>> more_blocks_;  // only while a turn's replies need them
  std::vector<ReplyPiece> pieces_;
  size_t closed_bytes_ = 0;  // in pieces_
  char* range_ = nullptr;    // copied bytes from here to cursor_ are not in pieces_ yet
};

}  // namespace larder::server
