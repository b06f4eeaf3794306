// server/net/read_buffer.h - where received bytes lie until they are handled.
//
// One large buffer per worker serves all its connections in turn, because a connection needs it
// only while its bytes are handled. What is left then, a part of a request as a rule, moves to the
// connection's HeldInput; most of the time there is none, and the connection holds no memory.
//
// Owner    ReadBuffer belongs to the worker, HeldInput to its connection.
// Threads  the worker's thread.
// Errors   none. How much may be held, far below 4 GiB, is the handler's decision: it closes a
//          stream whose request grows without end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "server/net/net_counters.h"

namespace larder::server {

// Input that is not consumed yet and belongs to one connection.
class HeldInput {
 public:
  explicit HeldInput(BufferGauge& gauge) : gauge_(gauge) {}
  HeldInput(const HeldInput&) = delete;
  HeldInput& operator=(const HeldInput&) = delete;
  ~HeldInput() { Clear(); }

  // Lends: valid until the next call that is not const.
  [[nodiscard]] std::string_view View() const { return {bytes_ + begin_, end_ - begin_}; }
  [[nodiscard]] bool IsEmpty() const { return begin_ == end_; }

  // From now on holds `rest` only, which may be a part of View().
  void Keep(std::string_view rest);
  // At least `bytes_min` bytes behind what is held, to receive into; then Advance.
  [[nodiscard]] std::span<char> Room(size_t bytes_min);
  void Advance(size_t bytes) { end_ += static_cast<uint32_t>(bytes); }
  void Clear();

 private:
  void Resize(size_t capacity_bytes);

  BufferGauge& gauge_;
  char* bytes_ = nullptr;
  uint32_t begin_ = 0;  // 32 bits: every connection has one of these, idle or not
  uint32_t end_ = 0;
  uint32_t capacity_bytes_ = 0;
};

class ReadBuffer {
 public:
  static constexpr size_t kBytes = 64 * 1024;

  ReadBuffer() : bytes_(new char[kBytes]) {}

  // Where to receive what follows `held`. Small remains are copied to the front, so that the
  // handler sees one piece; behind large ones the bytes are received in place.
  [[nodiscard]] std::span<char> Prepare(HeldInput& held);
  // After `received_bytes` went into what Prepare returned: all input so far.
  // Lends: until the next Prepare, or until `held` changes.
  [[nodiscard]] std::string_view Input(HeldInput& held, size_t received_bytes);

  [[nodiscard]] std::span<char> All() { return {bytes_.get(), kBytes}; }

 private:
  // Above this, copying on every event would cost more than a buffer of the connection's own.
  static constexpr size_t kCopiedBytesMax = 4 * 1024;

  std::unique_ptr<char[]> bytes_;
};

}  // namespace larder::server
