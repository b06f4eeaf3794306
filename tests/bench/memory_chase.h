// tests/bench/memory_chase.h - a walk through memory in which each step waits for the one before.
//
// A step is one miss of all processor caches and of the address translation, as the first look at a
// cached item is; what it takes is what the engine's operations are measured against.
//
// Units    bytes as the names say; a line has kLineBytes and holds the number of the next.
// Threads  constant after construction; threads keep places of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace larder::bench {

class MemoryChase {
 public:
  static constexpr size_t kLineBytes = 64;

  // REQUIRES: bytes is a power of two, at least 16 lines, at most 2^32 lines.
  explicit MemoryChase(size_t bytes);

  [[nodiscard]] size_t LineCount() const { return lines_.size(); }
  // All lines are on one round, which comes back to `line` after LineCount() steps.
  [[nodiscard]] uint32_t Next(uint32_t line) const { return lines_[line].next; }

 private:
  struct alignas(kLineBytes) Line {
    uint32_t next;
  };
  static_assert(sizeof(Line) == kLineBytes);

  std::vector<Line> lines_;
};

}  // namespace larder::bench
