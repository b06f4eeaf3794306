#include "protocol/tokens.h"

#include <string>

#include <catch2/catch.hpp>

namespace larder::protocol {
namespace {

TEST_CASE("words are separated by runs of spaces and by nothing else") {
  const TokenList words("  set  a\tb\r \x01\xff   5 ");
  REQUIRE(words.Count() == 4);
  CHECK(words[0] == "set");
  CHECK(words[1] == "a\tb\r");
  CHECK(words[2] == "\x01\xff");
  CHECK(words[3] == "5");
  CHECK(words[4].empty());
  CHECK(words.Last() == "5");
  CHECK(words.FromWordOn(2) == "\x01\xff   5 ");
}

TEST_CASE("a line of spaces has no words") { CHECK(TokenList("    ").Count() == 0); }

TEST_CASE("words beyond the twenty-third are not seen") {
  std::string line;
  for (int i = 1; i <= 30; ++i) line += std::to_string(i) + ' ';
  const TokenList words(line);
  CHECK(words.Count() == kTokensMax);
  CHECK(words.Last() == "23");
}

TEST_CASE("words are looked for in the first 65534 bytes") {
  const TokenList words("a" + std::string(kTokenScanBytesMax, ' ') + "b");
  CHECK(words.Count() == 1);
}

TEST_CASE("keys are taken off one by one") {
  std::string_view keys = " a  bb   ccc ";
  CHECK(NextKey(keys) == "a");
  CHECK(NextKey(keys) == "bb");
  CHECK(keys == "   ccc ");
  CHECK(NextKey(keys) == "ccc");
  CHECK(NextKey(keys).empty());
  CHECK(NextKey(keys).empty());
}

}  // namespace
}  // namespace larder::protocol
