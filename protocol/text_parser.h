// protocol/text_parser.h - the text protocol's request lines.
//
// Pure     bytes in, ParseResult out: no clock, no socket, no log, no memory of its own.
// Lends    the request's views point into `input` and live as long as it.
// Errors   ParseStatus::kError with the answer; what can be salvaged of the stream is salvaged.
// Not here values: a storage request is parsed when its line is complete, and value_bytes plus
//          kValueEndBytes follow. Numbers' rules: numbers.h. Commands: commands.def.
#pragma once

#include <cstddef>
#include <string_view>

#include "protocol/parse_result.h"

namespace larder::protocol {

// Parses the line that `input` begins with. `scanned_bytes`: how many of them an earlier call
// has seen without finding the line's end, so that a line that arrives in small pieces is not
// searched from its start each time.
// REQUIRES: scanned_bytes <= input.size()
[[nodiscard]] ParseResult ParseTextRequest(std::string_view input, size_t scanned_bytes = 0);

}  // namespace larder::protocol
