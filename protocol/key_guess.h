// protocol/key_guess.h - the key of the request that some input begins with, most likely.
//
// For those who look ahead: it costs a fraction of parsing, and what it gets wrong is found out
// when the request is parsed.
//
// Lends    from `input`.
// Threads  pure functions.
// Errors   empty: the input does not show one.
// Not here what a request is: text_parser.h, binary_parser.h
#pragma once

#include <cstddef>
#include <string_view>

#include "protocol/binary_format.h"
#include "protocol/limits.h"
#include "protocol/word_scan.h"

namespace larder::protocol {

// The second word of the line, where nearly all commands have it.
[[nodiscard]] inline std::string_view GuessTextKey(std::string_view input) {
  const size_t begin = FindWordEnd(input, 0) + 1;
  if (begin >= input.size()) return {};
  const std::string_view key = input.substr(begin, FindWordEnd(input, begin) - begin);
  return key.size() <= kKeyBytesMax ? key : std::string_view{};
}

[[nodiscard]] inline std::string_view GuessBinaryKey(std::string_view input) {
  if (input.size() < kBinaryHeaderBytes) return {};
  const BinaryHeader header = LoadBinaryHeader(input.data());
  const size_t begin = kBinaryHeaderBytes + header.extras_bytes;
  if (begin + header.key_bytes > input.size() || header.key_bytes > kKeyBytesMax) return {};
  return input.substr(begin, header.key_bytes);
}

}  // namespace larder::protocol
