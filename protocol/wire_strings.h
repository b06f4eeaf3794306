// protocol/wire_strings.h - the outcomes a request can have, and what the text protocol says for
// each. No other file spells an answer.
//
// Threads  constants.
// Not here answers with parts that vary, and where they are written: text_encoder.h
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace larder::protocol {

enum class Status : uint8_t {
  kNone,    // nothing is said, or it has been said already
  kNumber,  // the outcome's number is the answer
#define STATUS(name, text) name,
#include "protocol/wire_strings.def"
#undef STATUS
};

inline constexpr std::string_view kLineEnd = "\r\n";

inline constexpr auto kStatusLines = std::to_array<std::string_view>({
    "",
    "",
#define STATUS(name, text) text "\r\n",
#include "protocol/wire_strings.def"
#undef STATUS
});

// The whole line, with its end. Empty for kNone and kNumber.
[[nodiscard]] constexpr std::string_view StatusLine(Status status) {
  return kStatusLines[static_cast<size_t>(status)];
}

// The bare number in the answer to `version`, as `stats` shows it too.
[[nodiscard]] constexpr std::string_view SpokenVersion() {
  constexpr std::string_view kLabel = "VERSION ";
  std::string_view line = StatusLine(Status::kVersion);
  line.remove_prefix(kLabel.size());
  line.remove_suffix(kLineEnd.size());
  return line;
}
static_assert(SpokenVersion().find_first_not_of("0123456789.") == std::string_view::npos,
              "clients parse the version as numbers and dots");

}  // namespace larder::protocol
