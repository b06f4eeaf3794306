#include "server/utf8.h"

#include <cstddef>
#include <cstdint>

namespace larder::server {
namespace {

// How a character goes on behind its first byte: the bounds of the second, and how many follow.
// Bytes after the second are always 0x80 to 0xBF.
struct Continuation {
  uint8_t first_min;
  uint8_t first_max;
  uint8_t second_min;
  uint8_t second_max;
  uint8_t byte_count;  // behind the first
};

constexpr Continuation kContinuations[] = {
    {0x00, 0x7F, 0x00, 0x00, 0}, {0xC2, 0xDF, 0x80, 0xBF, 1}, {0xE0, 0xE0, 0xA0, 0xBF, 2},
    {0xE1, 0xEC, 0x80, 0xBF, 2}, {0xED, 0xED, 0x80, 0x9F, 2}, {0xEE, 0xEF, 0x80, 0xBF, 2},
    {0xF0, 0xF0, 0x90, 0xBF, 3}, {0xF1, 0xF3, 0x80, 0xBF, 3}, {0xF4, 0xF4, 0x80, 0x8F, 3},
};

// 0: no character begins like this.
size_t CharacterBytes(std::string_view bytes) {
  const auto byte_at = [bytes](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  for (const Continuation& row : kContinuations) {
    if (byte_at(0) < row.first_min || byte_at(0) > row.first_max) continue;
    if (bytes.size() <= row.byte_count) return 0;
    for (size_t i = 1; i <= row.byte_count; ++i) {
      const uint8_t min = i == 1 ? row.second_min : 0x80;
      const uint8_t max = i == 1 ? row.second_max : 0xBF;
      if (byte_at(i) < min || byte_at(i) > max) return 0;
    }
    return size_t{1} + row.byte_count;
  }
  return 0;
}

}  // namespace

bool IsUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t character_bytes = CharacterBytes(bytes);
    if (character_bytes == 0) return false;
    bytes.remove_prefix(character_bytes);
  }
  return true;
}

}  // namespace larder::server
