#include "server/observe/uri_encoding.h"

#include <string>
#include <string_view>

#include <catch2/catch.hpp>

namespace larder::server {
namespace {

std::string Encode(std::string_view key) {
  std::string text;
  AppendUriEncoded(key, text);
  return text;
}

TEST_CASE("letters, digits and four signs stay as they are") {
  const std::string plain = "azAZ09-._~";
  CHECK(Encode(plain) == plain);
}

TEST_CASE("every other byte becomes a percent sign and two upper-case digits") {
  CHECK(Encode("a:b/c d") == "a%3Ab%2Fc%20d");
  CHECK(Encode(std::string_view("\x00\x7f\xc3\xaf", 4)) == "%00%7F%C3%AF");
  CHECK(Encode("%@[`{") == "%25%40%5B%60%7B");
}

TEST_CASE("what is encoded goes behind what is there") {
  std::string text = "key=";
  AppendUriEncoded("ä", text);
  CHECK(text == "key=%C3%A4");
}

}  // namespace
}  // namespace larder::server
