#include "tests/bench/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace larder::bench {

Dataset::Dataset(uint32_t key_count, uint32_t value_bytes)
    : key_count_(key_count), value_bytes_(value_bytes) {
  keys_.reserve(size_t{key_count} * kKeyBytes);
  for (uint32_t key_id = 0; key_id < key_count; ++key_id) {
    fmt::format_to(std::back_inserter(keys_), "bench:{:019}", key_id);
  }
  const uint32_t pattern_bytes = value_bytes - std::min(value_bytes, kKeyBytes);
  pattern_.reserve(pattern_bytes + 2);
  // 94 printable characters: a period that divides no chunk, page or buffer size, so that bytes
  // from a wrong offset do not match by luck.
  for (uint32_t i = 0; i < pattern_bytes; ++i) pattern_.push_back(static_cast<char>('!' + i % 94));
  pattern_ += "\r\n";
}

std::string_view Dataset::BodyFrom(uint32_t key_id, uint32_t offset) const {
  const uint32_t key_part_bytes = std::min(value_bytes_, kKeyBytes);
  if (offset < key_part_bytes) return Key(key_id).substr(offset, key_part_bytes - offset);
  const std::string_view pattern = pattern_;
  return pattern.substr(offset - key_part_bytes);
}

}  // namespace larder::bench
