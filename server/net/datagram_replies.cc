#include "server/net/datagram_replies.h"

#include <algorithm>
#include <cstring>

namespace larder::server {
namespace {

// What the buffer has at the start, and shrinks back to.
constexpr size_t kCapacityBytesMin = 16 * 1024;

}  // namespace

DatagramReplies::DatagramReplies() {
  numbers_answers_ = true;
  Resize(kCapacityBytesMin);
}

void DatagramReplies::Lend(std::string_view bytes, ReleaseFn release, void* opaque) {
  if (is_over_ || is_too_large_ || Written() + bytes.size() > kBytesMax) {
    is_too_large_ = true;
  } else {
    Append(bytes);
  }
  release(opaque);
}

void DatagramReplies::OnBeginAnswer() {
  if (Written() > AnswerBegin() || is_too_large_) EndAnswer();
  is_begun_ = true;
}

void DatagramReplies::EndAnswer() {
  is_over_ = is_over_ || is_too_large_;
  if (is_over_) return DropAnswer();
  if (Written() > AnswerBegin()) ends_.push_back(Written());
  is_begun_ = false;
}

void DatagramReplies::DropAnswer() {
  cursor_ = buffer_.get() + AnswerBegin();
  compacted_bytes_ = std::min(compacted_bytes_, Written());
  is_begun_ = false;
  is_too_large_ = false;
}

std::string_view DatagramReplies::Answer(size_t index) const {
  const size_t begin = index == 0 ? 0 : ends_[index - 1];
  return {buffer_.get() + begin, ends_[index] - begin};
}

void DatagramReplies::Compact() {
  const size_t complete_bytes = AnswerBegin();
  const size_t under_way_bytes = Written() - complete_bytes;
  std::memmove(buffer_.get(), buffer_.get() + complete_bytes, under_way_bytes);
  cursor_ = buffer_.get() + under_way_bytes;
  ends_.clear();
  compacted_bytes_ = under_way_bytes;
}

void DatagramReplies::Clear() {
  DropAnswer();
  ends_.clear();
  compacted_bytes_ = 0;
  is_over_ = false;
  cursor_ = buffer_.get();
  if (static_cast<size_t>(limit_ - cursor_) > kCapacityBytesMin) Resize(kCapacityBytesMin);
}

// An answer above the bound is dropped in the end, so what it has so far makes room for its rest.
void DatagramReplies::Grow(size_t bytes) {
  if (Written() + bytes > kBytesMax) {
    is_too_large_ = true;
    cursor_ = buffer_.get() + AnswerBegin();
    if (static_cast<size_t>(limit_ - cursor_) >= bytes) return;
  }
  Resize(std::max(2 * Written(), Written() + bytes));
}

void DatagramReplies::Resize(size_t capacity_bytes) {
  std::unique_ptr<char[]> resized(new char[capacity_bytes]);
  const size_t written_bytes = buffer_ == nullptr ? 0 : Written();
  if (written_bytes > 0) std::memcpy(resized.get(), buffer_.get(), written_bytes);
  buffer_ = std::move(resized);
  cursor_ = buffer_.get() + written_bytes;
  limit_ = buffer_.get() + capacity_bytes;
}

}  // namespace larder::server
