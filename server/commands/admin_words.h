// server/commands/admin_words.h - how administrators' commands read their words: names may be cut
// short, and numbers are what memcached takes for one.
//
// Threads  pure functions.
// Not here the numbers of data commands: protocol/numbers.h
#pragma once

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace larder::server {

// Any beginning of a name means the name. REQUIRES: there is a word.
[[nodiscard]] inline bool MeansName(std::string_view word, std::string_view name) {
  return name.starts_with(word);
}

// As strtod reads it, the whole word.
[[nodiscard]] inline std::optional<double> ParseDecimal(std::string_view word) {
  constexpr size_t kWordBytesMax = 31;
  if (word.empty() || word.size() > kWordBytesMax) return std::nullopt;
  const std::string text(word);
  char* end = nullptr;
  errno = 0;
  const double number = std::strtod(text.c_str(), &end);
  if (errno == ERANGE || end != text.c_str() + text.size()) return std::nullopt;
  return number;
}

}  // namespace larder::server
