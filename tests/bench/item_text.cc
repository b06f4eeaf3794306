#include "tests/bench/item_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace larder::bench {

ItemText::ItemText() {
  pattern_.reserve(ValueSizes::kBytesMax);
  // 94 printable characters: a period that divides no chunk, page or buffer size, so that bytes
  // from a wrong offset do not match by luck.
  for (uint32_t i = 0; i < ValueSizes::kBytesMax; ++i) {
    pattern_.push_back(static_cast<char>('!' + i % 94));
  }
}

void ItemText::AppendSet(std::string& out, std::string_view key, uint32_t value_bytes,
                         uint32_t exptime_s, Answer answer) const {
  fmt::format_to(std::back_inserter(out), "set {} 0 {} {}{}\r\n", key, exptime_s, value_bytes,
                 answer == Answer::kNoreply ? " noreply" : "");
  const std::string_view key_part = key.substr(0, value_bytes);
  out += key_part;
  out += std::string_view(pattern_).substr(0, value_bytes - key_part.size());
  out += "\r\n";
}

bool ItemText::IsValueOf(std::string_view key, std::string_view value) const {
  const std::string_view key_part = key.substr(0, value.size());
  return value.starts_with(key_part) &&
         std::string_view(pattern_).starts_with(value.substr(key_part.size()));
}

}  // namespace larder::bench
