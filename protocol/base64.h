// protocol/base64.h - binary keys as meta commands spell them: RFC 4648, section 4.
//
// Pure     no state; the caller has the room.
// Errors   DecodeBase64 returns nullopt for a foreign character, wrong padding or an odd length.
//          Left-over bits of the last character are not looked at: `ZmZ=` is `ZmY=`.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace larder::protocol {

[[nodiscard]] constexpr size_t Base64BytesFor(size_t plain_bytes) {
  return (plain_bytes + 2) / 3 * 4;
}

// Writes Base64BytesFor(plain.size()) bytes at `to`; returns the place behind them.
char* EncodeBase64(std::string_view plain, char* to);

// Writes at `to` and returns how many bytes; at most text.size() / 4 * 3. Empty text is an error:
// there is no empty key.
[[nodiscard]] std::optional<size_t> DecodeBase64(std::string_view text, char* to);

}  // namespace larder::protocol
