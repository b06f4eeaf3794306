#include "slab/decimal.h"

#include <catch2/catch.hpp>

#include <string>

namespace larder::slab {
namespace {

using namespace std::string_view_literals;

TEST_CASE("stored numbers are read as strtoull reads them") {
  CHECK(ParseStoredDecimal("0") == 0);
  CHECK(ParseStoredDecimal("12") == 12);
  CHECK(ParseStoredDecimal("18446744073709551615") == 18446744073709551615ULL);
  CHECK(ParseStoredDecimal("  12") == 12);
  CHECK(ParseStoredDecimal("\t\n12") == 12);
  CHECK(ParseStoredDecimal("+12") == 12);
  CHECK(ParseStoredDecimal("-0") == 0);
  CHECK(ParseStoredDecimal("9 ") == 9);
  CHECK(ParseStoredDecimal("12 abc") == 12);
  CHECK(ParseStoredDecimal("12\0abc"sv) == 12);
  CHECK(ParseStoredDecimal(std::string(300, '0') + "7") == 7);
}

TEST_CASE("what is no number is refused") {
  for (const std::string_view text :
       {""sv, " "sv, "abc"sv, "12abc"sv, "-5"sv, "+-5"sv, "- 5"sv, "\0"sv, "1.5"sv,
        "18446744073709551616"sv, "99999999999999999999999"sv}) {
    INFO(text);
    CHECK_FALSE(ParseStoredDecimal(text).has_value());
  }
}

TEST_CASE("numbers are written left-aligned and padded with spaces") {
  std::string out(5, 'x');
  WritePaddedDecimal(42, out);
  CHECK(out == "42   ");
  CHECK(DecimalDigits(0) == 1);
  CHECK(DecimalDigits(9) == 1);
  CHECK(DecimalDigits(10) == 2);
  CHECK(DecimalDigits(18446744073709551615ULL) == kDecimalDigitsMax);
}

}  // namespace
}  // namespace larder::slab
