// server/os/log.h - lines for the operator, on stderr.
//
// Threads  any thread. Each line goes out with one write, so lines of two threads never mix.
// Errors   a line that cannot be written is lost.
// Not here what clients are told: protocol/wire_strings.h
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace larder::server {

// As `verbosity` and `-v` count: 0 warnings only, 1 events, 2 every connection.
inline constexpr uint32_t kLogWarning = 0;
inline constexpr uint32_t kLogEvent = 1;
inline constexpr uint32_t kLogConnection = 2;

class Log {
 public:
  explicit Log(uint32_t level, int fd = 2) : level_(level), fd_(fd) {}
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void SetLevel(uint32_t level) { level_.store(level, std::memory_order_relaxed); }
  [[nodiscard]] uint32_t Level() const { return level_.load(std::memory_order_relaxed); }
  // Ask before composing a line that is rarely wanted.
  [[nodiscard]] bool Wants(uint32_t level) const { return level <= Level(); }
  // `line` without a newline.
  void Write(uint32_t level, std::string_view line);

 private:
  // Relaxed: nothing else is published by a change of the level.
  std::atomic<uint32_t> level_;
  const int fd_;
};

}  // namespace larder::server
