// tests/bench/key_text.h - the 25-byte key of an item, made in a few instructions, so that the
// figures are the cache's and not those of a formatter.
//
// Units    item: 0-based number of an item.
// Threads  one thread at a time for each KeyText.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace larder::bench {

class KeyText {
 public:
  // Lends: until the next call.
  std::string_view Of(uint32_t item);

 private:
  std::array<char, 25> text_{'b', 'e', 'n', 'c', 'h', 'm', 'a', 'r', 'k', '0', '0', '0', '0',
                             '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0'};
};

}  // namespace larder::bench
