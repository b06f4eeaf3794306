// server/os/log.h - lines for the operator, on stderr: a sentence, and what it is about as fields.
//
//   log.Write(kLogConnection, "client connected", {{"fd", 27}, {"address", text}});
//
//   text  client connected fd=27 address=127.0.0.1:40312
//   json  {"ts":"2026-03-01T12:00:00.250Z","level":"debug","msg":"client connected","fd":27,..}
//
// Cost     a level that is off costs one load; fields are views and numbers until they are written.
// Threads  any thread. Each line goes out with one write, so lines of two threads never mix.
// Errors   a line that cannot be written is lost.
// Not here what clients are told: protocol/wire_strings.h; what `watch` shows: server/observe
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace larder::server {

// As `verbosity` and `-v` count: 0 warnings only, 1 events, 2 every connection. In JSON these are
// the levels "warning", "info" and "debug".
inline constexpr uint32_t kLogWarning = 0;
inline constexpr uint32_t kLogEvent = 1;
inline constexpr uint32_t kLogConnection = 2;

// Lends: key and text are used by the call only.
class LogField {
 public:
  LogField(std::string_view key, std::string_view text) : key_(key), text_(text) {}
  LogField(std::string_view key, const char* text) : key_(key), text_(text) {}
  template <std::integral Integer>
  LogField(std::string_view key, Integer number)
      : key_(key), number_(static_cast<int64_t>(number)), is_number_(true) {}

  void AppendText(std::string* line) const;
  void AppendJson(std::string* line) const;

 private:
  std::string_view key_;
  std::string_view text_;
  int64_t number_ = 0;
  bool is_number_ = false;
};

class Log {
 public:
  enum class Form : uint8_t { kText, kJson };

  explicit Log(uint32_t level, Form form = Form::kText, int fd = 2)
      : level_(level), form_(form), fd_(fd) {}
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void SetLevel(uint32_t level) { level_.store(level, std::memory_order_relaxed); }
  [[nodiscard]] uint32_t Level() const { return level_.load(std::memory_order_relaxed); }
  // Ask before composing a line that is rarely wanted.
  [[nodiscard]] bool Wants(uint32_t level) const { return level <= Level(); }
  // `message` without a newline.
  void Write(uint32_t level, std::string_view message, std::initializer_list<LogField> fields = {});

 private:
  // Relaxed: nothing else is published by a change of the level.
  std::atomic<uint32_t> level_;
  const Form form_;
  const int fd_;
};

}  // namespace larder::server
