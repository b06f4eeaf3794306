// server/observe/byte_ring.h - bytes from one thread to another, in order, within a fixed room.
//
// Invariants
//   1. head_ counts the bytes ever written, tail_ those ever taken; 0 <= head_ - tail_ <= capacity.
//   2. Only the writer stores head_, only the reader tail_. Neither waits for the other.
//   3. The writer touches bytes in [head_, tail_ + capacity) only, the reader those in
//      [tail_, head_). So no byte is the concern of both.
//   4. A store of head_ (release) makes the bytes before it good for whoever loads it (acquire); a
//      store of tail_ (release) hands the bytes before it back to the writer that loads it
//      (acquire), after the reader's last look at them.
//
// Owner    owns the room. Memory that was never written is never touched.
// Threads  one writer and one reader at a time. Whoever passes either role on to another thread
//          synchronises with it.
// Errors   a write that does not fit changes nothing.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace larder::server {

class ByteRing {
 public:
  // The capacity is the next power of two.
  explicit ByteRing(size_t capacity_bytes_min)
      : capacity_(std::bit_ceil(std::max<size_t>(capacity_bytes_min, 1))),
        bytes_(std::make_unique_for_overwrite<char[]>(capacity_)) {}
  ByteRing(const ByteRing&) = delete;
  ByteRing& operator=(const ByteRing&) = delete;

  [[nodiscard]] size_t Capacity() const { return capacity_; }

  // --- the writer's --------------------------------------------------------------------------
  [[nodiscard]] size_t FreeBytes() const {
    const uint64_t tail = tail_.load(std::memory_order_acquire);  // invariant 4
    return capacity_ - static_cast<size_t>(head_.load(std::memory_order_relaxed) - tail);
  }
  // All of it or nothing: false.
  bool Write(std::string_view text) { return Write(text, {}); }
  // Two pieces that the reader sees at the same moment.
  bool Write(std::string_view first, std::string_view second) {
    if (FreeBytes() < first.size() + second.size()) return false;
    const uint64_t head = head_.load(std::memory_order_relaxed);  // our own
    CopyIn(head, first);
    CopyIn(head + first.size(), second);
    head_.store(head + first.size() + second.size(), std::memory_order_release);  // invariant 4
    return true;
  }

  // --- the reader's --------------------------------------------------------------------------
  [[nodiscard]] size_t Size() const {
    const uint64_t head = head_.load(std::memory_order_acquire);  // invariant 4
    return static_cast<size_t>(head - tail_.load(std::memory_order_relaxed));
  }
  // What comes next, as far as it lies in one piece. Lends: until Pop.
  [[nodiscard]] std::string_view Front() const {
    const size_t begin = tail_.load(std::memory_order_relaxed) & (capacity_ - 1);
    return {bytes_.get() + begin, std::min(Size(), capacity_ - begin)};
  }
  // REQUIRES: bytes <= Size()
  void Pop(size_t bytes) {
    const uint64_t tail = tail_.load(std::memory_order_relaxed);  // our own
    tail_.store(tail + bytes, std::memory_order_release);         // invariant 4
  }
  // Fills all of `room`. REQUIRES: room.size() <= Size()
  void Read(std::span<char> room) {
    while (!room.empty()) {
      const std::string_view piece = Front().substr(0, room.size());
      std::memcpy(room.data(), piece.data(), piece.size());
      Pop(piece.size());
      room = room.subspan(piece.size());
    }
  }

 private:
  void CopyIn(uint64_t at, std::string_view text) {
    if (text.empty()) return;
    const size_t begin = at & (capacity_ - 1);
    const size_t first_bytes = std::min(text.size(), capacity_ - begin);
    std::memcpy(bytes_.get() + begin, text.data(), first_bytes);
    std::memcpy(bytes_.get(), text.data() + first_bytes, text.size() - first_bytes);
  }

  const size_t capacity_;
  const std::unique_ptr<char[]> bytes_;
  alignas(64) std::atomic<uint64_t> head_{0};
  alignas(64) std::atomic<uint64_t> tail_{0};
};

}  // namespace larder::server
