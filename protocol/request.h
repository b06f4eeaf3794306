// protocol/request.h - one request, whatever dialect it was spoken in.
//
// Owner    owns nothing: views are lent from the parser's input and are good as long as that.
// Units    exptime as sent (expiry.h of the engine knows what it means); number is a delta or a
//          CAS unique, as the command has it.
// Not here the value's bytes: they follow the request in the stream.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "protocol/command_table.h"
#include "protocol/wire_strings.h"

namespace larder::protocol {

struct Request {
  std::string_view key;        // of `stats`: the group, empty for none
  // Of a retrieval: what follows the first key, for NextKey(). Of CommandSyntax::kWords: the whole
  // line, the command's word first, for TokenList.
  std::string_view more_keys;
  uint64_t number = 0;         // of `verbosity`: the level
  uint32_t client_flags = 0;
  uint32_t value_bytes = 0;
  int32_t exptime = 0;  // of `flush_all`: the delay, 0 for none
  Command command = Command::kGet;
  // What is wrong with the arguments of a command that does or looks at something else first.
  Status fault = Status::kNone;
  // The client wants no answer, not even an error.
  bool noreply = false;
};
static_assert(std::is_trivially_copyable_v<Request>);

}  // namespace larder::protocol
