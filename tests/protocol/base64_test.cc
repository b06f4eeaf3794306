#include "protocol/base64.h"

#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/limits.h"

namespace larder::protocol {
namespace {

std::string Encode(std::string_view plain) {
  std::string text(Base64BytesFor(plain.size()), '?');
  CHECK(EncodeBase64(plain, text.data()) == text.data() + text.size());
  return text;
}

// "(no)" for what cannot be decoded.
std::string Decode(std::string_view text) {
  std::vector<char> room(text.size() / 4 * 3);
  const auto bytes = DecodeBase64(text, room.data());
  return bytes ? std::string(room.data(), *bytes) : "(no)";
}

TEST_CASE("the examples of the standard are encoded and decoded") {
  const std::vector<std::pair<std::string, std::string>> examples = {
      {"f", "Zg=="},        {"fo", "Zm8="},        {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : examples) {
    CHECK(Encode(plain) == text);
    CHECK(Decode(text) == plain);
  }
}

TEST_CASE("every byte survives encoding, at every place of a group") {
  for (int byte = 0; byte < 256; ++byte) {
    for (size_t bytes = 1; bytes <= 4; ++bytes) {
      const std::string plain(bytes, static_cast<char>(byte));
      REQUIRE(Decode(Encode(plain)) == plain);
    }
  }
}

TEST_CASE("the two letters beyond digits are plus and slash") {
  CHECK(Decode("+/+/") == "\xfb\xff\xbf");
  CHECK(Decode("-_-_") == "(no)");
}

TEST_CASE("text that is no base64 is refused") {
  for (const char* const text :
       {"", "Z", "Zg", "Zg=", "Zm9", "Zm9vY", "====", "=", "Z===", "=Zm9", "Zg=A", "Zg==Zm9v",
        "Zm 9", "Zm9v\n", "Zm9!", "Zm9v!!!!", "\xff\xff\xff\xff"}) {
    INFO(text);
    CHECK(Decode(text) == "(no)");
  }
}

TEST_CASE("bits that stand for nothing are not looked at") {
  CHECK(Decode("ZmZ=") == Decode("ZmY="));
}

TEST_CASE("the longest key in base64 fits its room") {
  const std::string text(kKeyBytesMax / 4 * 4, 'A');
  CHECK(Decode(text).size() == kBinaryKeyBytesMax);
  CHECK(Encode(std::string(kBinaryKeyBytesMax, 'x')).size() <= kKeyBytesMax);
}

}  // namespace
}  // namespace larder::protocol
