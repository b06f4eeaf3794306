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

class MetaArguments;  // meta_arguments.h

struct Request {
  std::string_view key;  // of `stats`: the group, empty for none
  // Of a retrieval: what follows the first key, for NextKey(). Of CommandSyntax::kWords and kGroup:
  // the whole line, the command's word first, for TokenList.
  std::string_view more_keys;
  const MetaArguments* meta = nullptr;  // of a meta command: its flags
  uint64_t number = 0;                  // of `verbosity`: the level
  // Of incr and decr in the binary protocol: the CAS unique that the item must have, 0 for any,
  // and what a number that is not there begins with, if the request creates it.
  uint64_t number_cas = 0;
  uint64_t initial = 0;
  uint32_t client_flags = 0;
  uint32_t value_bytes = 0;
  int64_t exptime = 0;  // of `flush_all`: the delay, 0 for none. Binary ones are unsigned 32 bits
  Command command = Command::kGet;
  // What is wrong with the arguments of a command that does or looks at something else first.
  Status fault = Status::kNone;
  // The client wants no answer, not even an error.
  bool noreply = false;
  bool creates = false;
  // Of a store: it counts when it begins, refused or not. memcached's binary stores count when
  // their value is there, and not at all when they are refused.
  bool counts_at_once = true;
};
static_assert(std::is_trivially_copyable_v<Request>);

}  // namespace larder::protocol
