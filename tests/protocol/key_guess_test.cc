#include "protocol/key_guess.h"

#include <catch2/catch.hpp>
#include <string>

namespace larder::protocol {

TEST_CASE("The key of a text request is guessed to be its second word") {
  CHECK(GuessTextKey("get key\r\n") == "key");
  CHECK(GuessTextKey("get first second\r\n") == "first");
  CHECK(GuessTextKey("set key 0 0 5\r\nhello\r\n") == "key");
  CHECK(GuessTextKey("mg key v t\n") == "key");
}

TEST_CASE("A text request without a key has none to guess") {
  CHECK(GuessTextKey("").empty());
  CHECK(GuessTextKey("get").empty());
  CHECK(GuessTextKey("get ").empty());
  CHECK(GuessTextKey("stats\r\n").empty());
  CHECK(GuessTextKey("get " + std::string(251, 'k') + "\r\n").empty());
}

TEST_CASE("The key of a binary request is guessed behind header and extras") {
  const std::string header("\x80\x01\x00\x03\x08\x00\x00\x00\x00\x00\x00\x10", 12);
  const std::string packet = header + std::string(12, '\0') + std::string(8, 'x') + "keyvalue!";
  CHECK(GuessBinaryKey(packet) == "key");
  CHECK(GuessBinaryKey(std::string_view(packet).substr(0, 34)).empty());
  CHECK(GuessBinaryKey(std::string_view(packet).substr(0, 23)).empty());
}

}  // namespace larder::protocol
