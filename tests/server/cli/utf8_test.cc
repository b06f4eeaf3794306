#include <catch2/catch.hpp>
#include <string>

#include "server/utf8.h"

namespace larder::server {
namespace {

TEST_CASE("text in UTF-8 is recognised at the bounds of each length") {
  for (const std::string text :
       {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    CAPTURE(text);
    CHECK(IsUtf8(text));
    CHECK(IsUtf8("a" + text + "z"));
  }
}

TEST_CASE("what is overlong, a surrogate, out of range or cut short is no text") {
  for (const std::string bytes :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC2", "\xE1\x80", "\xF1\x80\x80",
        "\xC2\x41", "\xE1\x80\x41", "\xF1\x80\x80\xC0"}) {
    CAPTURE(bytes);
    CHECK_FALSE(IsUtf8(bytes));
    CHECK_FALSE(IsUtf8("a" + bytes));
  }
}

}  // namespace
}  // namespace larder::server
