// protocol/text_parser.h - the text protocol's request lines.
//
// Pure     bytes in, ParseResult out: no clock, no socket, no log, no memory of its own.
// Lends    the request's views point into `input` and live as long as it; of a meta command, the
//          key may be `meta`'s.
// Errors   ParseStatus::kError with the answer; what can be salvaged of the stream is salvaged.
// Not here values: a storage request is parsed when its line is complete, and value_bytes plus
//          kValueEndBytes follow. Numbers' rules: numbers.h. Commands: commands.def.
//          Meta commands: meta_parser.h.
#pragma once

#include <cstddef>
#include <string_view>

#include "protocol/meta_arguments.h"
#include "protocol/parse_result.h"

namespace larder::protocol {

// Parses the line that `input` begins with. A meta command's flags go to `meta`, which is left
// alone by all others. `scanned_bytes`: how many of the input's bytes an earlier call has seen
// without finding the line's end, so that a line that arrives in small pieces is not searched from
// its start each time.
// All of `result` is set; what it was before does not matter.
// REQUIRES: scanned_bytes <= input.size()
void ParseTextRequest(std::string_view input, MetaArguments& meta, size_t scanned_bytes,
                      ParseResult& result);

[[nodiscard]] inline ParseResult ParseTextRequest(std::string_view input, MetaArguments& meta,
                                                  size_t scanned_bytes = 0) {
  ParseResult result;
  ParseTextRequest(input, meta, scanned_bytes, result);
  return result;
}

}  // namespace larder::protocol
