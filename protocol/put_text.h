// protocol/put_text.h - text and numbers, written one behind the other.
//
// Owner    the caller has the room: each function writes at `to` and returns the place behind.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace larder::protocol {

inline constexpr size_t kUint64DigitsMax = 20;

inline char* Put(char* to, std::string_view text) {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());  // memcpy takes no null pointer
  return to + text.size();
}

inline char* PutNumber(char* to, uint64_t number) {
  if (number < 10) {  // client flags, mostly
    *to = static_cast<char>('0' + number);
    return to + 1;
  }
  if (number < 1000) {  // the length of a small value
    const auto hundreds = static_cast<uint32_t>(number) / 100;
    const auto tens = static_cast<uint32_t>(number) / 10 % 10;
    *to = static_cast<char>('0' + hundreds);
    to += hundreds != 0 ? 1 : 0;
    *to++ = static_cast<char>('0' + tens);
    *to++ = static_cast<char>('0' + number % 10);
    return to;
  }
  return std::to_chars(to, to + kUint64DigitsMax, number).ptr;
}

}  // namespace larder::protocol
