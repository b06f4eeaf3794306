// tests/fuzz/reply_text.h - a peer that takes every reply at once and keeps what it was told.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "protocol/reply_sink.h"

namespace larder::fuzz {

class ReplyText final : public protocol::ReplySink {
 public:
  ReplyText() { Grow(1); }

  void Lend(std::string_view bytes, ReleaseFn release, void* opaque) override {
    Append(bytes);
    release(opaque);
  }
  [[nodiscard]] size_t PendingBytes() const override { return 0; }
  [[nodiscard]] std::string_view Text() const { return {buffer_.data(), UsedBytes()}; }

 private:
  void Grow(size_t bytes) override {
    const size_t used_bytes = UsedBytes();
    buffer_.resize(std::max(used_bytes + bytes, buffer_.size() * 2));
    cursor_ = buffer_.data() + used_bytes;
    limit_ = buffer_.data() + buffer_.size();
  }
  [[nodiscard]] size_t UsedBytes() const {
    return cursor_ == nullptr ? 0 : static_cast<size_t>(cursor_ - buffer_.data());
  }

  std::vector<char> buffer_;
};

}  // namespace larder::fuzz
