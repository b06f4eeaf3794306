#include "server/os/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace larder::server {
namespace {

// Bytes above ASCII are written as if they were Latin-1: what is not UTF-8 must not spoil the line.
void AppendQuoted(std::string_view text, std::string* line) {
  *line += '"';
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    const bool is_plain = code >= 0x20 && code < 0x7f && byte != '"' && byte != '\\';
    if (is_plain) {
      *line += byte;
    } else {
      *line += fmt::format("\\u{:04x}", code);
    }
  }
  *line += '"';
}

std::string Timestamp() {
  using std::chrono::floor;
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  const auto now = std::chrono::system_clock::now();
  const auto second = floor<seconds>(now);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03d}Z", second,
                     floor<milliseconds>(now - second).count());
}

std::string_view LevelName(uint32_t level) {
  constexpr std::array<std::string_view, 3> kNames = {"warning", "info", "debug"};
  return kNames[std::min<size_t>(level, kNames.size() - 1)];
}

std::string JsonLine(uint32_t level, std::string_view message,
                     std::initializer_list<LogField> fields) {
  std::string line =
      fmt::format(R"({{"ts":"{}","level":"{}","msg":)", Timestamp(), LevelName(level));
  AppendQuoted(message, &line);
  for (const LogField& field : fields) field.AppendJson(&line);
  line += '}';
  return line;
}

}  // namespace

void LogField::AppendText(std::string* line) const {
  *line += is_number_ ? fmt::format(" {}={}", key_, number_) : fmt::format(" {}={}", key_, text_);
}

void LogField::AppendJson(std::string* line) const {
  *line += ',';
  AppendQuoted(key_, line);
  *line += ':';
  if (is_number_) {
    *line += fmt::to_string(number_);
  } else {
    AppendQuoted(text_, line);
  }
}

void Log::Write(uint32_t level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!Wants(level)) return;
  std::string line;
  if (form_ == Form::kJson) {
    line = JsonLine(level, message, fields);
  } else {
    line = message;
    for (const LogField& field : fields) field.AppendText(&line);
  }
  line += '\n';
  // A log that blocks or fails must not stop the server, and there is nobody to tell.
  [[maybe_unused]] const ssize_t written = ::write(fd_, line.data(), line.size());
}

}  // namespace larder::server
