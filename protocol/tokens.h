// protocol/tokens.h - the words of a request line.
//
// Owner    owns nothing: words are lent from the line.
// Not here what they mean: text_parser.h
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/limits.h"
#include "protocol/word_scan.h"

namespace larder::protocol {

// Words are separated by spaces only; any other byte, tabs and control bytes included, belongs
// to a word. The first kTokensMax of them are kept, of the line's first kTokenScanBytesMax bytes.
class TokenList {
 public:
  explicit TokenList(std::string_view line) : line_(line.substr(0, kTokenScanBytesMax)) {
    size_t at = 0;
    while (count_ < kTokensMax) {
      while (at < line_.size() && line_[at] == ' ') ++at;
      if (at == line_.size()) break;
      const size_t begin = at;
      at = FindSpace(line_, at);
      words_[count_++] = {static_cast<uint16_t>(begin), static_cast<uint16_t>(at)};
    }
  }

  [[nodiscard]] size_t Count() const { return count_; }
  // Empty for a word that is not there.
  [[nodiscard]] std::string_view operator[](size_t index) const {
    if (index >= count_) return {};
    const Word word = words_[index];
    return line_.substr(word.begin, static_cast<size_t>(word.end - word.begin));
  }
  [[nodiscard]] std::string_view Last() const { return (*this)[count_ - 1]; }
  // REQUIRES: index < Count()
  [[nodiscard]] std::string_view FromWordOn(size_t index) const {
    return line_.substr(words_[index].begin);
  }

 private:
  struct Word {
    uint16_t begin;
    uint16_t end;
  };
  static_assert(kTokenScanBytesMax <= UINT16_MAX);

  std::string_view line_;
  size_t count_ = 0;
  std::array<Word, kTokensMax> words_;  // the first count_ are set
};

// Takes the next key off `keys`, with the spaces before it. Empty when there is none left.
[[nodiscard]] inline std::string_view NextKey(std::string_view& keys) {
  size_t begin = 0;
  while (begin < keys.size() && keys[begin] == ' ') ++begin;
  const size_t end = FindSpace(keys, begin);
  const std::string_view key = keys.substr(begin, end - begin);
  keys.remove_prefix(end);
  return key;
}

}  // namespace larder::protocol
