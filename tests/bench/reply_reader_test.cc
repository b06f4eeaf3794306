#include "tests/bench/reply_reader.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace larder::bench {
namespace {

constexpr uint32_t kValueBytes = 40;

std::string ValueOf(const Dataset& dataset, uint32_t key_id) {
  std::string reply = fmt::format("VALUE {} 0 {}\r\n", dataset.Key(key_id), dataset.ValueBytes());
  for (uint32_t offset = 0; offset < dataset.BodyBytes();) {
    const std::string_view part = dataset.BodyFrom(key_id, offset);
    reply += part;
    offset += static_cast<uint32_t>(part.size());
  }
  return reply;
}

struct Fixture {
  explicit Fixture(uint32_t value_bytes = kValueBytes)
      : dataset(100, value_bytes), reader(dataset) {}

  void Ask(Operation operation, std::vector<uint32_t> ids, uint32_t keys_per_request = 1) {
    key_ids = std::move(ids);
    reader.StartBatch(operation, key_ids, keys_per_request);
  }
  std::string Value(uint32_t key_id) const { return ValueOf(dataset, key_id); }

  Dataset dataset;
  ReplyReader reader;
  std::vector<uint32_t> key_ids;
};

TEST_CASE("A value's body is the key, the common pattern and a line end") {
  const Dataset dataset(3, 30);
  const std::string value = ValueOf(dataset, 2);
  CHECK(value == "VALUE bench:0000000000000000002 0 30\r\nbench:0000000000000000002!\"#$%\r\n");
}

TEST_CASE("A batch of gets is read whole at every cut of the stream") {
  for (const uint32_t value_bytes : {0u, 10u, 25u, kValueBytes}) {
    Fixture fixture(value_bytes);
    const std::string stream = fixture.Value(3) + "END\r\n" + fixture.Value(99) + "END\r\n";
    for (size_t cut = 0; cut <= stream.size(); ++cut) {
      fixture.Ask(Operation::kGet, {3, 99});
      REQUIRE(fixture.reader.Feed(std::string_view(stream).substr(0, cut)));
      REQUIRE(fixture.reader.Done() == (cut == stream.size()));
      REQUIRE(fixture.reader.Feed(std::string_view(stream).substr(cut)));
      REQUIRE(fixture.reader.Done());
    }
    CHECK(fixture.reader.HitCount() == 2 * (stream.size() + 1));
    CHECK(fixture.reader.MissCount() == 0);
  }
}

TEST_CASE("Keys of a multi-get that are passed over count as misses") {
  Fixture fixture;
  fixture.Ask(Operation::kGet, {1, 2, 3, 3, 4, 5}, 3);
  REQUIRE(fixture.reader.Feed(fixture.Value(2) + "END\r\n" + fixture.Value(3)));
  CHECK(fixture.reader.ReplyCount() == 1);
  REQUIRE(fixture.reader.Feed(fixture.Value(5) + "END\r\n"));
  CHECK(fixture.reader.Done());
  CHECK(fixture.reader.HitCount() == 3);
  CHECK(fixture.reader.MissCount() == 3);
}

TEST_CASE("Each set is answered by one STORED") {
  Fixture fixture;
  fixture.Ask(Operation::kSet, {1, 2});
  REQUIRE(fixture.reader.Feed("STORED\r\nSTO"));
  CHECK(fixture.reader.ReplyCount() == 1);
  REQUIRE(fixture.reader.Feed("RED\r\n"));
  CHECK(fixture.reader.Done());
}

TEST_CASE("What a server must not answer is noticed") {
  const Fixture source;
  const std::string good = source.Value(1);
  const std::string other = source.Value(2);
  const size_t body_at = good.find('\n') + 1;
  std::string torn = good;
  torn[torn.size() - 5] ^= 1;
  std::string too_long = good;
  too_long.insert(too_long.size() - 2, 1, 'x');
  std::string with_flags = good;
  with_flags[with_flags.find(" 0 ") + 1] = '1';

  const std::vector<std::string> streams = {
      torn,
      too_long,
      with_flags,
      good.substr(0, body_at) + other.substr(body_at),
      other,
      good + good,
      "SERVER_ERROR out of memory storing object\r\n",
      "STORED\r\n",
      "\r\n",
      "END\r\nEND\r\n",
      std::string(1000, 'x'),
  };
  for (const std::string& stream : streams) {
    INFO(stream);
    Fixture fixture;
    fixture.Ask(Operation::kGet, {1});
    CHECK_FALSE(fixture.reader.Feed(stream));
    CHECK_FALSE(fixture.reader.Complaint().empty());
  }
}

TEST_CASE("A refused set is noticed") {
  Fixture fixture;
  fixture.Ask(Operation::kSet, {1});
  CHECK_FALSE(fixture.reader.Feed("NOT_STORED\r\n"));
}

TEST_CASE("Bytes that nobody asked for are noticed") {
  Fixture fixture;
  CHECK_FALSE(fixture.reader.Feed("END\r\n"));
}

}  // namespace
}  // namespace larder::bench
