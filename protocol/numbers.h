// protocol/numbers.h - numbers as memcached reads them, which is not the same everywhere.
//
// Strict   digits only (int32: and one `-` before them), of bounded length.
// Lenient  as C's strtol reads them: white space and a sign may stand before the digits, white
//          space or a zero byte behind them, and what does not fit 32 bits is cut off.
// Errors   nullopt. Nothing is trimmed to a limit.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace larder::protocol {

// Longest spellings, leading zeros and sign included.
inline constexpr size_t kStrict32DigitsMax = 11;
inline constexpr size_t kStrict64DigitsMax = 22;

// A lone `-` counts as 0, as it does for memcached.
[[nodiscard]] std::optional<int32_t> ParseStrictInt32(std::string_view token);
[[nodiscard]] std::optional<uint32_t> ParseStrictUint32(std::string_view token);
[[nodiscard]] std::optional<uint64_t> ParseStrictUint64(std::string_view token);

// `text`: from the number's token to the end of the line. A token of white space alone lets the
// number be found further on, as strtol does.
[[nodiscard]] std::optional<uint32_t> ParseLenientFlags(std::string_view text);
[[nodiscard]] std::optional<int32_t> ParseLenientExptime(std::string_view text);

}  // namespace larder::protocol
