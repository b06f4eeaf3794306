#include "server/net/reply_queue.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

namespace larder::server {
namespace {

// The turn's shared buffer; and the least size of a further one when replies outgrow it.
constexpr size_t kSharedBlockBytes = 64 * 1024;
// Least size of a block that a connection keeps, so that a slow reader's small replies share one.
constexpr size_t kBacklogBlockBytesMin = 4 * 1024;
// Pieces for one sendmsg. Far below the system's 1,024: they are built on the stack.
constexpr size_t kPiecesPerSendMax = 64;

void ReleaseBlock(void* block) { delete[] static_cast<char*>(block); }

void Release(const ReplyPiece& piece) {
  if (piece.release != nullptr) piece.release(piece.opaque);
}

// Moves past `bytes` sent bytes; pieces that are sent whole are released.
// Returns how many pieces these are.
size_t ConsumeSent(std::span<ReplyPiece> pieces, size_t bytes) {
  size_t sent_count = 0;
  while (bytes > 0) {
    ReplyPiece& piece = pieces[sent_count];
    if (bytes < piece.bytes) {
      piece.data += bytes;
      piece.bytes -= bytes;
      break;
    }
    bytes -= piece.bytes;
    Release(piece);
    ++sent_count;
  }
  return sent_count;
}

struct SendOutcome {
  IoResult result;  // the last send's status, all sends' bytes
  size_t sent_piece_count = 0;
};

// Sends until everything is gone, the socket takes no more, or it is the others' turn: the socket
// is reported again then.
SendOutcome SendPieces(Transport& transport, std::span<ReplyPiece> pieces) {
  SendOutcome outcome;
  while (outcome.sent_piece_count < pieces.size() && outcome.result.bytes < kSendBytesMax) {
    const auto left = pieces.subspan(outcome.sent_piece_count);
    const size_t bytes_max = kSendBytesMax - outcome.result.bytes;
    std::array<iovec, kPiecesPerSendMax> vectors;
    size_t piece_count = 0;
    size_t offered_bytes = 0;
    while (piece_count < std::min(kPiecesPerSendMax, left.size()) && offered_bytes < bytes_max) {
      const ReplyPiece& piece = left[piece_count];
      const size_t bytes = std::min(piece.bytes, bytes_max - offered_bytes);
      vectors[piece_count++] = {const_cast<char*>(piece.data), bytes};  // only read
      offered_bytes += bytes;
    }
    const IoResult sent = transport.Send(std::span(vectors).first(piece_count));
    outcome.result.status = sent.status;
    outcome.result.bytes += sent.bytes;
    outcome.sent_piece_count += ConsumeSent(left.first(piece_count), sent.bytes);
    // A short send says that the socket is full; asking once more would only hear that it is.
    if (sent.bytes < offered_bytes) break;
  }
  return outcome;
}

}  // namespace

// --- ReplyBacklog --------------------------------------------------------------------------------

ReplyBacklog::ReplyBacklog(BufferGauge& gauge) : gauge_(gauge) { gauge_.count.Add(1); }

ReplyBacklog::~ReplyBacklog() {
  for (size_t i = sent_piece_count_; i < pieces_.size(); ++i) Release(pieces_[i]);
  gauge_.count.Subtract(1);
  gauge_.bytes.Subtract(pending_bytes_);
}

void ReplyBacklog::Copy(std::string_view bytes) {
  pending_bytes_ += bytes.size();
  gauge_.bytes.Add(bytes.size());
  const size_t fitting_bytes = std::min(bytes.size(), tail_room_bytes_);
  if (fitting_bytes > 0) {
    ReplyPiece& tail = pieces_.back();
    // The tail is a block of our own; only its type is shared with pieces that are not.
    std::memcpy(const_cast<char*>(tail.data) + tail.bytes, bytes.data(), fitting_bytes);
    tail.bytes += fitting_bytes;
    tail_room_bytes_ -= fitting_bytes;
    bytes.remove_prefix(fitting_bytes);
  }
  if (!bytes.empty()) AddBlock(bytes);
}

void ReplyBacklog::AddBlock(std::string_view bytes) {
  const size_t block_bytes = std::max(bytes.size(), kBacklogBlockBytesMin);
  char* const block = new char[block_bytes];
  std::memcpy(block, bytes.data(), bytes.size());
  pieces_.push_back({block, bytes.size(), &ReleaseBlock, block});
  tail_room_bytes_ = block_bytes - bytes.size();
}

void ReplyBacklog::Take(const ReplyPiece& lent) {
  assert(lent.release != nullptr);
  pieces_.push_back(lent);
  tail_room_bytes_ = 0;
  pending_bytes_ += lent.bytes;
  gauge_.bytes.Add(lent.bytes);
}

IoResult ReplyBacklog::Send(Transport& transport) {
  const SendOutcome outcome = SendPieces(transport, std::span(pieces_).subspan(sent_piece_count_));
  pending_bytes_ -= outcome.result.bytes;
  gauge_.bytes.Subtract(outcome.result.bytes);
  sent_piece_count_ += outcome.sent_piece_count;
  if (sent_piece_count_ == pieces_.size()) tail_room_bytes_ = 0;
  // A backlog that never drains must not remember all it ever sent.
  if (sent_piece_count_ > pieces_.size() / 2) {
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<ptrdiff_t>(sent_piece_count_));
    sent_piece_count_ = 0;
  }
  return outcome.result;
}

// --- ReplyQueue ----------------------------------------------------------------------------------

ReplyQueue::ReplyQueue(BufferGauge& gauge)
    : gauge_(gauge), first_block_(new char[kSharedBlockBytes]) {
  Reset();
}

ReplyQueue::~ReplyQueue() { Drop(); }

void ReplyQueue::Lend(std::string_view bytes, ReleaseFn release, void* opaque) {
  if (bytes.empty()) return release(opaque);
  CloseRange();
  pieces_.push_back({bytes.data(), bytes.size(), release, opaque});
  closed_bytes_ += bytes.size();
}

size_t ReplyQueue::PendingBytes() const {
  const size_t waiting_bytes =
      backlog_ != nullptr && *backlog_ != nullptr ? (*backlog_)->PendingBytes() : 0;
  return waiting_bytes + closed_bytes_ + static_cast<size_t>(cursor_ - range_);
}

IoResult ReplyQueue::Flush(Transport& transport) {
  const auto copied_bytes = static_cast<size_t>(cursor_ - range_);
  if (pieces_.empty() && *backlog_ == nullptr && copied_bytes <= kSendBytesMax) [[likely]] {
    return FlushRange(transport, copied_bytes);
  }
  CloseRange();
  if (*backlog_ != nullptr) {  // the order of replies: what waits goes first
    MoveToBacklog(pieces_);
    Reset();
    return (*backlog_)->Send(transport);
  }
  const SendOutcome outcome = SendPieces(transport, pieces_);
  MoveToBacklog(std::span(pieces_).subspan(outcome.sent_piece_count));
  Reset();
  return outcome.result;
}

// The usual turn: one piece, which the socket takes whole.
IoResult ReplyQueue::FlushRange(Transport& transport, size_t bytes) {
  IoResult sent;
  if (bytes > 0) {
    const std::array<iovec, 1> vectors = {{{range_, bytes}}};
    sent = transport.Send(vectors);
  }
  if (sent.bytes < bytes) [[unlikely]] {
    range_ += sent.bytes;
    CloseRange();
    MoveToBacklog(pieces_);
  }
  Reset();
  return sent;
}

void ReplyQueue::Keep() {
  CloseRange();
  MoveToBacklog(pieces_);
  Reset();
}

void ReplyQueue::Drop() {
  for (const ReplyPiece& piece : pieces_) Release(piece);
  Reset();
}

// What was written stays where it is; the handler goes on in a new block.
void ReplyQueue::Grow(size_t bytes) {
  CloseRange();
  const size_t block_bytes = std::max(bytes, kSharedBlockBytes);
  more_blocks_.emplace_back(new char[block_bytes]);
  cursor_ = range_ = more_blocks_.back().get();
  limit_ = cursor_ + block_bytes;
}

void ReplyQueue::CloseRange() {
  const auto bytes = static_cast<size_t>(cursor_ - range_);
  if (bytes == 0) return;
  pieces_.push_back({range_, bytes, nullptr, nullptr});
  closed_bytes_ += bytes;
  range_ = cursor_;
}

void ReplyQueue::MoveToBacklog(std::span<const ReplyPiece> pieces) {
  if (pieces.empty()) return;
  if (*backlog_ == nullptr) *backlog_ = std::make_unique<ReplyBacklog>(gauge_);
  for (const ReplyPiece& piece : pieces) {
    if (piece.release == nullptr) {
      (*backlog_)->Copy({piece.data, piece.bytes});
    } else {
      (*backlog_)->Take(piece);
    }
  }
}

void ReplyQueue::Reset() {
  pieces_.clear();
  more_blocks_.clear();
  closed_bytes_ = 0;
  cursor_ = range_ = first_block_.get();
  limit_ = cursor_ + kSharedBlockBytes;
}

}  // namespace larder::server
