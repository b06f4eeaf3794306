#include "protocol/word_scan.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

namespace larder::protocol {
namespace {

size_t SlowWordEnd(const std::string& text, size_t at) {
  while (at < text.size() && static_cast<unsigned char>(text[at]) > ' ') ++at;
  return at;
}

// Texts of up to 40 bytes, among them every byte that could be mistaken for another.
template <typename Check>
void ForManyTexts(const Check& check) {
  const std::string alphabet("a\x00 !\x1f\x20\x21\x7f\x80\x81\xa0\xff\r\n\tz", 16);
  uint32_t random = 1;
  for (size_t round = 0; round < 20'000; ++round) {
    std::string text;
    const size_t length = round % 41;
    for (size_t i = 0; i < length; ++i) {
      random = random * 1664525 + 1013904223;
      const bool is_rare = (random >> 28) == 0;
      text += is_rare ? alphabet[(random >> 20) % alphabet.size()] : 'k';
    }
    check(text);
  }
}

}  // namespace

TEST_CASE("A word ends at the first space or control byte, wherever the search begins") {
  ForManyTexts([](const std::string& text) {
    for (size_t at = 0; at <= text.size(); ++at) {
      if (FindWordEnd(text, at) != SlowWordEnd(text, at)) FAIL(text << " from " << at);
    }
  });
}

TEST_CASE("A space is found among all other bytes, wherever the search begins") {
  ForManyTexts([](const std::string& text) {
    for (size_t at = 0; at <= text.size(); ++at) {
      const size_t expected = std::min(text.find(' ', at), text.size());
      if (FindSpace(text, at) != expected) FAIL(text << " from " << at);
    }
  });
}

}  // namespace larder::protocol
