// tests/bench/item_keys.h - the key of each item: made from its number, or what a trace says.
//
// Threads  one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/bench/key_text.h"

namespace larder::bench {

class ItemKeys {
 public:
  // 25 bytes each, for any number of items.
  ItemKeys() = default;
  // REQUIRES: not empty.
  explicit ItemKeys(std::vector<std::string> keys) : keys_(std::move(keys)) {}

  // REQUIRES: of a list of keys, item is in it.
  // Lends: until the next call.
  [[nodiscard]] std::string_view Of(uint32_t item) {
    return keys_.empty() ? made_.Of(item) : std::string_view(keys_[item]);
  }

 private:
  std::vector<std::string> keys_;
  KeyText made_;
};

}  // namespace larder::bench
