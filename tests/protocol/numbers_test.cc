#include "protocol/numbers.h"

#include <string>

#include <catch2/catch.hpp>

namespace larder::protocol {
namespace {

using namespace std::string_view_literals;
constexpr auto kRefused = std::nullopt;

TEST_CASE("a strict int32 is digits with at most one minus before them") {
  struct Row {
    std::string_view token;
    std::optional<int32_t> number;
  };
  for (const auto& [token, number] : std::initializer_list<Row>{
           {"0", 0},
           {"-0", 0},
           {"-", 0},  // as memcached has it
           {"7", 7},
           {"-7", -7},
           {"2147483647", 2147483647},
           {"2147483648", kRefused},
           {"-2147483648", -2147483647 - 1},
           {"-2147483649", kRefused},
           {"00000000001", 1},
           {"000000000001", kRefused},  // twelve digits
           {"-0000000001", -1},
           {"-00000000001", kRefused},
           {"+1", kRefused},
           {"--1", kRefused},
           {"1-", kRefused},
           {"1x", kRefused},
           {"0x1", kRefused},
           {"\t1", kRefused},
           {"1\t", kRefused},
           {"", kRefused},
       }) {
    INFO(token);
    CHECK(ParseStrictInt32(token) == number);
  }
}

TEST_CASE("a strict uint32 is digits and nothing else") {
  struct Row {
    std::string_view token;
    std::optional<uint32_t> number;
  };
  for (const auto& [token, number] : std::initializer_list<Row>{
           {"0", 0},
           {"4294967295", 4294967295},
           {"4294967296", kRefused},
           {"00000000001", 1},
           {"000000000001", kRefused},
           {"-1", kRefused},
           {"-0", kRefused},
           {"-", kRefused},
           {"+1", kRefused},
           {"", kRefused},
       }) {
    INFO(token);
    CHECK(ParseStrictUint32(token) == number);
  }
}

TEST_CASE("a strict uint64 may have up to 22 digits") {
  struct Row {
    std::string_view token;
    std::optional<uint64_t> number;
  };
  for (const auto& [token, number] : std::initializer_list<Row>{
           {"0", 0},
           {"18446744073709551615", UINT64_MAX},
           {"18446744073709551616", kRefused},
           {"18446744073709551620", kRefused},
           {"99999999999999999999", kRefused},
           {"0000000000000000000001", 1},
           {"00000000000000000000001", kRefused},
           {"-1", kRefused},
           {"+1", kRefused},
           {"1 ", kRefused},
           {"", kRefused},
       }) {
    INFO(token);
    CHECK(ParseStrictUint64(token) == number);
  }
}

TEST_CASE("lenient client flags are cut to 32 bits and refuse what is negative in 64") {
  struct Row {
    std::string_view text;
    std::optional<uint32_t> flags;
  };
  for (const auto& [text, flags] : std::initializer_list<Row>{
           {"0 0 1", 0},
           {"123 0 1", 123},
           {"123456789 0 1", 123456789},
           {"1234567890 0 1", 1234567890},
           {"4294967295 0 1", 4294967295},
           {"4294967296 0 1", 0},
           {"4294967301 0 1", 5},
           {"18446744073709551615 0 1", 4294967295},
           {"18446744073709551616 0 1", kRefused},
           {"-1 0 1", kRefused},
           {"-0 0 1", 0},
           {"-9223372036854775808 0 1", kRefused},
           {"-9223372036854775809 0 1", 4294967295},
           {"-18446744073709551615 0 1", 1},
           {"+5 0 1", 5},
           {"+-5 0 1", kRefused},
           {"\t5 0 1", 5},
           {"5\t 0 1", 5},
           {"5\tx 0 1", 5},
           {"5\0x 0 1"sv, 5},
           {"5x 0 1", kRefused},
           {"- 0 1", kRefused},
           {"x 0 1", kRefused},
           {"\t 7 1", 7},  // strtoul goes on to the next word
           {"5", 5},
           {"\t", kRefused},
           {"", kRefused},
       }) {
    INFO(text);
    CHECK(ParseLenientFlags(text) == flags);
  }
}

TEST_CASE("a lenient exptime wraps at 32 bits and is refused beyond 64") {
  struct Row {
    std::string_view text;
    std::optional<int32_t> exptime;
  };
  for (const auto& [text, exptime] : std::initializer_list<Row>{
           {"0 1", 0},
           {"-1 1", -1},
           {"2592000 1", 2592000},
           {"2147483647 1", 2147483647},
           {"2147483648 1", -2147483647 - 1},
           {"4294967296 1", 0},
           {"4294967297 1", 1},
           {"-2147483649 1", 2147483647},
           {"9223372036854775807 1", -1},
           {"9223372036854775808 1", kRefused},
           {"-9223372036854775808 1", 0},
           {"-9223372036854775809 1", kRefused},
           {"+3 1", 3},
           {"\t3 1", 3},
           {"3\t 1", 3},
           {"3.5 1", kRefused},
           {"3x 1", kRefused},
       }) {
    INFO(text);
    CHECK(ParseLenientExptime(text) == exptime);
  }
}

}  // namespace
}  // namespace larder::protocol
