#include "tests/bench/key_text.h"

#include <catch2/catch.hpp>

namespace larder::bench {
namespace {

TEST_CASE("A key is 25 bytes and ends with the item's number in hexadecimal") {
  KeyText key;
  CHECK(key.Of(0) == "benchmark0000000000000000");
  CHECK(key.Of(0x89abcdef) == "benchmark0000000089abcdef");
  CHECK(key.Of(0x01234567) == "benchmark0000000001234567");
  CHECK(key.Of(0xffffffff) == "benchmark00000000ffffffff");
}

}  // namespace
}  // namespace larder::bench
