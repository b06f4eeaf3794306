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

// Input that is not consumed yet and belongs to one connection. Every connection has one of these,
// idle or not, so all but a pointer is in the block that it only sometimes has:
//
//     [ Block: gauge | capacity | begin | end ][ consumed | held | room ]
class HeldInput {
 public:
  HeldInput() = default;
  HeldInput(const HeldInput&) = delete;
  HeldInput& operator=(const HeldInput&) = delete;
  ~HeldInput() { Clear(); }

  // Lends: valid until the next call that is not const.
  [[nodiscard]] std::string_view View() const {
    if (block_ == nullptr) return {};
    return {block_->Bytes() + block_->begin, block_->end - block_->begin};
  }
  [[nodiscard]] bool IsEmpty() const { return block_ == nullptr || block_->begin == block_->end; }

  // From now on holds `rest` only, which may be a part of View(). `gauge`: where the memory counts.
  // REQUIRES: the same gauge at each call
  void Keep(std::string_view rest, BufferGauge& gauge);
  // At least `bytes_min` bytes behind what is held, to receive into; then Advance.
  // REQUIRES: !IsEmpty()
  [[nodiscard]] std::span<char> Room(size_t bytes_min);
  // REQUIRES: bytes <= what Room returned
  void Advance(size_t bytes) { block_->end += static_cast<uint32_t>(bytes); }
  void Clear();

 private:
  struct Block {
    BufferGauge& gauge;
    uint32_t capacity_bytes;
    uint32_t begin;
    uint32_t end;

    [[nodiscard]] char* Bytes() { return reinterpret_cast<char*>(this + 1); }
  };

  [[nodiscard]] bool Owns(std::string_view rest) const;
  void Resize(size_t capacity_bytes, BufferGauge& gauge);

  Block* block_ = nullptr;  // null: nothing is held
};

class ReadBuffer {
 public:
  static constexpr size_t kBytes = 64 * 1024;

  // `skip_bytes_max`: how much may be skipped before the next Rewind.
  explicit ReadBuffer(size_t skip_bytes_max = 0) : bytes_(new char[skip_bytes_max + kBytes]) {}

  // Where to receive what follows `held`. Small remains are copied to the front, so that the
  // handler sees one piece; behind large ones the bytes are received in place.
  [[nodiscard]] std::span<char> Prepare(HeldInput& held);
  // After `received_bytes` went into what Prepare returned: all input so far.
  // Lends: until the next Prepare, or until `held` changes.
  [[nodiscard]] std::string_view Input(HeldInput& held, size_t received_bytes);

  [[nodiscard]] std::span<char> All() { return {Begin(), kBytes}; }

  // What is received from now on lies behind the next `bytes`, so that those stay as they are..
  void Skip(size_t bytes) { skipped_bytes_ += bytes; }
  // .. until now.
  void Rewind() { skipped_bytes_ = 0; }

 private:
  // Above this, copying on every event would cost more than a buffer of the connection's own.
  static constexpr size_t kCopiedBytesMax = 4 * 1024;

  [[nodiscard]] char* Begin() { return bytes_.get() + skipped_bytes_; }

  std::unique_ptr<char[]> bytes_;
  size_t skipped_bytes_ = 0;
};

}  // namespace larder::server
