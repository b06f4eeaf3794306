// protocol/reply_sink.h - where encoders put reply bytes.
//
// Owner    the sink copies what is appended; what is lent stays the lender's until it is released.
// Threads  one thread at a time.
// Errors   none: a sink grows as needed. Whoever produces replies stops when PendingBytes() says
//          that the peer does not take them (StreamStep::Next::kBlocked).
// Not here what is written: text_encoder.h. Where the bytes go: server/net/reply_queue.h.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

namespace larder::protocol {

class ReplySink {
 public:
  using ReleaseFn = void (*)(void* opaque);

  ReplySink(const ReplySink&) = delete;
  ReplySink& operator=(const ReplySink&) = delete;

  // Room for `bytes` contiguous bytes; write there, then Advance by what was used.
  [[nodiscard]] char* Reserve(size_t bytes) {
    if (static_cast<size_t>(limit_ - cursor_) < bytes) Grow(bytes);
    return cursor_;
  }
  void Advance(size_t bytes) { cursor_ += bytes; }

  void Append(std::string_view text) {
    if (text.empty()) return;  // a fresh sink has no place to copy nothing to
    std::memcpy(Reserve(text.size()), text.data(), text.size());
    Advance(text.size());
  }

  // A new answer begins here. Datagrams number each answer by itself; streams do not care. Twice in
  // a row is once.
  void BeginAnswer() {
    if (numbers_answers_) OnBeginAnswer();
  }

  // Lends: `bytes` must stay whole and unchanged until the sink calls release(opaque), which it
  // does exactly once: when they are sent, or when the connection ends.
  virtual void Lend(std::string_view bytes, ReleaseFn release, void* opaque) = 0;

  // Bytes that the peer has not taken yet, lent ones included.
  [[nodiscard]] virtual size_t PendingBytes() const = 0;

 protected:
  ReplySink() = default;
  ~ReplySink() = default;

  // Makes limit_ - cursor_ >= bytes, keeping what was written.
  virtual void Grow(size_t bytes) = 0;
  virtual void OnBeginAnswer() {}

  char* cursor_ = nullptr;
  char* limit_ = nullptr;
  bool numbers_answers_ = false;  // set by a sink that overrides OnBeginAnswer
};

}  // namespace larder::protocol
