#include "protocol/text_encoder.h"

#include <string>

#include <catch2/catch.hpp>

#include "tests/protocol/string_sink.h"

namespace larder::protocol {
namespace {

std::string Encode(const Outcome& outcome) {
  StringSink sink;
  WriteOutcome(outcome, sink);
  return sink.Take();
}

TEST_CASE("a status is answered with its line") {
  CHECK(Encode({.status = Status::kStored}) == "STORED\r\n");
  CHECK(Encode({.status = Status::kUnknownCommand}) == "ERROR\r\n");
  CHECK(Encode({.status = Status::kVersion}) == "VERSION 1.6.45\r\n");
  CHECK(SpokenVersion() == "1.6.45");
}

TEST_CASE("an outcome without a status is answered with nothing") {
  CHECK(Encode({.status = Status::kNone}).empty());
}

TEST_CASE("a number is answered in plain digits") {
  for (const uint64_t number : {uint64_t{0}, uint64_t{9}, uint64_t{10}, UINT64_MAX}) {
    CHECK(Encode({.status = Status::kNumber, .number = number}) == std::to_string(number) + "\r\n");
  }
}

TEST_CASE("every status but the two without text has a line of its own") {
  for (size_t i = 0; i < kStatusLines.size(); ++i) {
    const bool is_silent = i <= static_cast<size_t>(Status::kNumber);
    CHECK(kStatusLines[i].ends_with(kLineEnd) == !is_silent);
    for (size_t j = i + 1; j < kStatusLines.size() && !is_silent; ++j) {
      CHECK(kStatusLines[i] != kStatusLines[j]);
    }
  }
}

TEST_CASE("a value shows its CAS unique only where that is asked for") {
  const FoundValue found{.key = "k", .value = "abc", .cas = 77, .client_flags = 5};
  StringSink sink;
  WriteValue(found, CasColumn::kOmitted, sink);
  CHECK(sink.Take() == "VALUE k 5 3\r\nabc\r\n");
  WriteValue(found, CasColumn::kShown, sink);
  CHECK(sink.Take() == "VALUE k 5 3 77\r\nabc\r\n");
}

TEST_CASE("the widest value line fits its room") {
  const std::string key(250, 'k');
  const std::string value("\0\r\nEND\r\n", 8);
  const FoundValue found{.key = key, .value = value, .cas = UINT64_MAX, .client_flags = UINT32_MAX};
  StringSink sink;
  WriteValue(found, CasColumn::kShown, sink);
  CHECK(sink.Take() == "VALUE " + key + " 4294967295 8 18446744073709551615\r\n" + value + "\r\n");
}

TEST_CASE("an empty value is a line and an empty line") {
  StringSink sink;
  WriteValue({.key = "k", .value = {}}, CasColumn::kOmitted, sink);
  CHECK(sink.Take() == "VALUE k 0 0\r\n\r\n");
}

TEST_CASE("a lent value reads like a copied one and is released once") {
  int release_count = 0;
  const auto release = [](void* opaque) { ++*static_cast<int*>(opaque); };
  StringSink sink;
  WriteLentValue({.key = "k", .value = "abc", .cas = 2}, CasColumn::kShown, release, &release_count,
                 sink);
  CHECK(release_count == 0);
  CHECK(sink.Take() == "VALUE k 0 3 2\r\nabc\r\n");
  CHECK(release_count == 1);
}

TEST_CASE("a stat is a name and a value, even an empty one") {
  StringSink sink;
  WriteStat("pid", "12", sink);
  WriteStat("inter", "", sink);
  CHECK(sink.Take() == "STAT pid 12\r\nSTAT inter \r\n");
}

}  // namespace
}  // namespace larder::protocol
