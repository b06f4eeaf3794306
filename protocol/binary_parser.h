// protocol/binary_parser.h - the binary protocol's request packets.
//
// Pure     bytes in, BinaryParseResult out: no clock, no socket, no log, no memory of its own.
// Lends    the request's views point into `input` and live as long as it.
// Errors   kError: answer `error`, drop the rest of the packet, and close if it is hopeless.
// kClose:
//          what comes is no packet, or none of a size that anybody sends.
// Not here values: a packet is parsed when its header, extras and key are complete, and
//          request.value_bytes follow. Opcodes and layout: binary_format.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/binary_format.h"
#include "protocol/parse_result.h"
#include "protocol/request.h"

namespace larder::protocol {

struct BinaryParseResult {
  ParseStatus status = ParseStatus::kNeedMore;
  Status error = Status::kNone;
  // With kError: a sender of such a packet and this server do not agree where the next one begins.
  bool is_hopeless = false;
  BinaryEcho echo;
  size_t consumed_bytes = 0;  // header, extras and key
  // What follows them. A request that stores nothing has no use for it, but skips it.
  uint32_t value_bytes = 0;
  const BinaryOpcode* opcode = nullptr;  // with kRequest
  // With kRequest: the command, if the opcode is one, and what it is about.
  Request request;
};

// Parses the packet that `input` begins with.
[[nodiscard]] BinaryParseResult ParseBinaryRequest(std::string_view input);

}  // namespace larder::protocol
