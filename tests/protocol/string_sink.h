// tests/protocol/string_sink.h - a ReplySink whose bytes a test can read and take away.
//
// Owner    lent bytes are copied into the text at once, but released only by Take() or the end,
//          as a socket would.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/reply_sink.h"

namespace larder::protocol {

class StringSink final : public ReplySink {
 public:
  StringSink() = default;
  ~StringSink() { Take(); }

  void Lend(std::string_view bytes, ReleaseFn release, void* opaque) override {
    Append(bytes);
    loans_.push_back({release, opaque});
  }

  [[nodiscard]] size_t PendingBytes() const override {
    return static_cast<size_t>(cursor_ - buffer_.data());
  }

  // All that was written since the last call; the peer has taken it.
  std::string Take() {
    std::string text(buffer_.data(), PendingBytes());
    cursor_ = buffer_.data();
    for (const Loan& loan : loans_) loan.release(loan.opaque);
    loans_.clear();
    return text;
  }

  [[nodiscard]] size_t LoanCount() const { return loans_.size(); }

 private:
  struct Loan {
    ReleaseFn release;
    void* opaque;
  };

  // Grows to just what is asked for, so that sanitizers see who writes more than reserved.
  void Grow(size_t bytes) override {
    const size_t used = cursor_ == nullptr ? 0 : PendingBytes();
    std::vector<char> larger(used + bytes);
    std::copy_n(buffer_.data(), used, larger.data());
    buffer_ = std::move(larger);
    cursor_ = buffer_.data() + used;
    limit_ = buffer_.data() + buffer_.size();
  }

  std::vector<char> buffer_;
  std::vector<Loan> loans_;
};

}  // namespace larder::protocol
