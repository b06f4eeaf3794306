// tests/bench/dataset.h - which keys and values a load consists of, so that every byte of a reply
// can be checked and none has to be remembered.
//
// A key is "bench:" and its number, 25 bytes in all (the length the project's targets are stated
// for). The value of a key is the key itself, continued by a pattern that all values share:
// a reply that carries another key's value, or a torn one, cannot pass.
//
// Units    key_id is 0-based; bytes as the names say.
// Threads  constant after construction.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace larder::bench {

inline constexpr uint32_t kKeyBytes = 25;

class Dataset {
 public:
  // REQUIRES: key_count >= 1
  Dataset(uint32_t key_count, uint32_t value_bytes);

  [[nodiscard]] uint32_t KeyCount() const { return key_count_; }
  [[nodiscard]] uint32_t ValueBytes() const { return value_bytes_; }

  // Lends: good as long as the dataset.
  [[nodiscard]] std::string_view Key(uint32_t key_id) const {
    return std::string_view(keys_).substr(size_t{key_id} * kKeyBytes, kKeyBytes);
  }

  // Bytes of the body "value\r\n" from `offset` on: not all of them, but at least one, and as many
  // as lie together in memory. Empty at the end of the body.
  // Lends: good as long as the dataset.
  [[nodiscard]] std::string_view BodyFrom(uint32_t key_id, uint32_t offset) const;
  [[nodiscard]] uint32_t BodyBytes() const { return value_bytes_ + 2; }

 private:
  uint32_t key_count_;
  uint32_t value_bytes_;
  std::string keys_;     // key_count_ times kKeyBytes
  std::string pattern_;  // what follows the key in every value, and "\r\n"
};

}  // namespace larder::bench
