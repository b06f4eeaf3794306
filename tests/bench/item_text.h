// tests/bench/item_text.h - the `set` request of an item, and whether a value that came back is
// that item's.
//
// A value is the item's key, continued by a pattern that all values share, and cut at its size: a
// reply that carries another item's value, or a torn one, does not pass.
//
// Threads  constant after construction.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/bench/value_sizes.h"

namespace larder::bench {

enum class Answer : uint8_t { kWanted, kNoreply };

class ItemText {
 public:
  ItemText();

  // Appends "set <key> 0 <exptime> <bytes>\r\n<value>\r\n"; exptime 0 is "never".
  // REQUIRES: value_bytes <= ValueSizes::kBytesMax.
  void AppendSet(std::string& out, std::string_view key, uint32_t value_bytes, uint32_t exptime_s,
                 Answer answer) const;
  // REQUIRES: value.size() <= ValueSizes::kBytesMax.
  [[nodiscard]] bool IsValueOf(std::string_view key, std::string_view value) const;

 private:
  std::string pattern_;  // kBytesMax long
};

}  // namespace larder::bench
