// protocol/binary_format.h - the layout of the binary protocol's packets, and its opcodes.
//
// Units    bytes; numbers on the wire are big-endian, in BinaryHeader they are the host's.
// Threads  constants and pure functions.
// Not here which packets are good: binary_parser.h. Statuses and their texts: binary_statuses.def.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "protocol/command_table.h"

namespace larder::protocol {

// --- numbers -----------------------------------------------------------------------------------

template <std::unsigned_integral Number>
[[nodiscard]] constexpr Number SwapUnlessBigEndian(Number number) {
  if constexpr (std::endian::native == std::endian::big || sizeof(Number) == 1) return number;
  Number swapped = 0;
  for (size_t i = 0; i < sizeof(Number); ++i) {
    swapped = static_cast<Number>((swapped << 8) | ((number >> (8 * i)) & 0xff));
  }
  return swapped;
}

template <std::unsigned_integral Number>
[[nodiscard]] Number LoadBigEndian(const char* from) {
  Number number;
  std::memcpy(&number, from, sizeof(number));
  return SwapUnlessBigEndian(number);
}

// Returns the place behind.
template <std::unsigned_integral Number>
char* StoreBigEndian(char* to, Number number) {
  number = SwapUnlessBigEndian(number);
  std::memcpy(to, &number, sizeof(number));
  return to + sizeof(number);
}

// --- packets -----------------------------------------------------------------------------------

inline constexpr char kBinaryRequestMagic = '\x80';
inline constexpr char kBinaryResponseMagic = '\x81';

// A packet is a header and a body of extras, key and value, in that order:
//
//     0      1       2          4             5          6                 8           12      16
//     magic  opcode  key bytes  extras bytes  data type  vbucket | status  body bytes  opaque  cas
//
// The opaque comes back as it was sent. Data type and vbucket mean nothing here.
inline constexpr size_t kBinaryHeaderBytes = 24;

// Header, extras and key together; memcached closes what does not fit its read buffer.
inline constexpr size_t kBinaryHeadBytesMax = 16 * 1024;
// memcached's bound of -I, and of what it is willing to skip.
inline constexpr uint32_t kBinaryBodyBytesMax = 1024 * 1024 * 1024;

struct BinaryHeader {
  char magic = kBinaryResponseMagic;
  uint8_t opcode = 0;
  uint16_t key_bytes = 0;
  uint8_t extras_bytes = 0;
  uint16_t status = 0;
  uint32_t body_bytes = 0;
  uint32_t opaque = 0;
  uint64_t cas = 0;
};

// REQUIRES: kBinaryHeaderBytes bytes at `from`
[[nodiscard]] inline BinaryHeader LoadBinaryHeader(const char* from) {
  return {.magic = from[0],
          .opcode = static_cast<uint8_t>(from[1]),
          .key_bytes = LoadBigEndian<uint16_t>(from + 2),
          .extras_bytes = static_cast<uint8_t>(from[4]),
          .status = LoadBigEndian<uint16_t>(from + 6),
          .body_bytes = LoadBigEndian<uint32_t>(from + 8),
          .opaque = LoadBigEndian<uint32_t>(from + 12),
          .cas = LoadBigEndian<uint64_t>(from + 16)};
}

// Returns the place behind.
// REQUIRES: room for kBinaryHeaderBytes bytes at `to`
inline char* StoreBinaryHeader(char* to, const BinaryHeader& header) {
  *to++ = header.magic;
  to = StoreBigEndian(to, header.opcode);
  to = StoreBigEndian(to, header.key_bytes);
  to = StoreBigEndian(to, header.extras_bytes);
  *to++ = 0;  // the data type
  to = StoreBigEndian(to, header.status);
  to = StoreBigEndian(to, header.body_bytes);
  to = StoreBigEndian(to, header.opaque);
  return StoreBigEndian(to, header.cas);
}

// What an answer repeats of its request.
struct BinaryEcho {
  uint32_t opaque = 0;
  uint8_t opcode = 0;
};

// --- opcodes -----------------------------------------------------------------------------------

enum class BinaryWork : uint8_t {
  kLookUp,   // a key is looked up, and perhaps touched
  kStore,    // a value follows and is stored
  kHandler,  // answered at once by the handler of the command
  kStats,    // answered with many packets
  kQuit,
  kUnknown,  // of a known shape, but nothing that this server does
};

enum class BinaryAnswer : uint8_t {
  kEmpty,
  kFlags,        // client flags as extras
  kValue,        // the same, and the value
  kKeyAndValue,  // the same, and the key, which a miss brings, too
  kNumber,       // a value of 8 bytes
  kVersion,      // the version's text
};

enum class BinaryExtras : uint8_t {
  kNone,
  kFlagsAndExptime,  // client flags (4 bytes), exptime (4)
  kArithmetic,       // delta (8), initial (8), exptime (4)
  kExptime,          // exptime (4)
  kMaybeExptime,     // exptime (4) or nothing
};

enum class BinaryPart : uint8_t { kForbidden, kAllowed, kRequired };

enum class BinaryLoudness : uint8_t { kLoud, kQuiet };

struct BinaryOpcode {
  uint8_t code;
  BinaryWork work;
  std::optional<Command> command;
  BinaryAnswer answer;
  BinaryLoudness loudness;
  BinaryExtras extras;
  BinaryPart key;
  BinaryPart value;
};

inline constexpr auto kBinaryOpcodes = std::to_array<BinaryOpcode>({
#define OPCODE(name, code, work, command, answer, loudness, extras, key, value) \
  {code,                                                                        \
   BinaryWork::work,                                                            \
   command,                                                                     \
   BinaryAnswer::answer,                                                        \
   BinaryLoudness::loudness,                                                    \
   BinaryExtras::extras,                                                        \
   BinaryPart::key,                                                             \
   BinaryPart::value},
#include "protocol/binary_opcodes.def"
#undef OPCODE
});

// Null for a code that is no opcode.
[[nodiscard]] constexpr const BinaryOpcode* FindBinaryOpcode(uint8_t code) {
  constexpr auto kPlaces = [] {
    std::array<uint8_t, 256> places{};  // one more than the index; 0: none
    for (size_t i = 0; i < kBinaryOpcodes.size(); ++i) {
      places[kBinaryOpcodes[i].code] = static_cast<uint8_t>(i + 1);
    }
    return places;
  }();
  return kPlaces[code] == 0 ? nullptr : &kBinaryOpcodes[kPlaces[code] - 1U];
}

}  // namespace larder::protocol
