// protocol/parse_result.h - what a parser makes of the bytes it is shown.
#pragma once

#include <cstddef>
#include <cstdint>

#include "protocol/request.h"
#include "protocol/wire_strings.h"

namespace larder::protocol {

enum class ParseStatus : uint8_t {
  kNeedMore,  // the line is not complete yet; nothing is consumed
  kRequest,   // `request` is good; consumed_bytes are its line
  kError,     // answer `error` unless request.noreply, after dropping swallow_bytes
  kClose,     // no conversation to be had: close, without a word
};

struct ParseResult {
  ParseStatus status = ParseStatus::kNeedMore;
  Status error = Status::kNone;
  // Of what follows the line: the value of a request that is refused.
  uint32_t swallow_bytes = 0;
  size_t consumed_bytes = 0;
  Request request;
};

}  // namespace larder::protocol
