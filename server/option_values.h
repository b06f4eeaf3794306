// server/option_values.h - what options hold that is more than a number or a text, and in which
// shape they may be given.
//
// Owner    plain values.
// Not here how they are read: option_kinds.h
#pragma once

#include <cstdint>

namespace larder::server {

enum class ArgumentShape : uint8_t {
  kNone,            // a switch; in a file true or false
  kCount,           // a switch that counts how often it is given; in a file a number
  kNumber,          // a whole number
  kOptionalNumber,  // the same, but none is fine
  kReal,            // a number
  kSize,            // a whole number, or text with a suffix
  kText,            // text
  kList,            // text, or in a file a list of texts
};

// Values of options that are more than a number.
enum class ProtocolChoice : uint8_t { kAuto, kAscii, kBinary };

struct TemporaryTtl {
  uint32_t seconds = 61;
  bool is_on = false;
};

struct PrefixDelimiter {
  char byte = ':';
  bool is_given = false;
};

struct ChunkMax {
  int32_t bytes = 512 * 1024;
  bool is_given = false;
};

}  // namespace larder::server
