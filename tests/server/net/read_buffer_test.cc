#include "server/net/read_buffer.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

namespace larder::server {
namespace {

// Receives `bytes` as a connection would; returns all input so far.
std::string_view Receive(ReadBuffer& buffer, HeldInput& held, std::string_view bytes) {
  const std::span<char> room = buffer.Prepare(held);
  REQUIRE(room.size() >= bytes.size());
  std::copy(bytes.begin(), bytes.end(), room.begin());
  return buffer.Input(held, bytes.size());
}

TEST_CASE("what is not consumed comes first in the next input") {
  BufferGauge gauge;
  HeldInput held;
  ReadBuffer buffer;
  held.Keep(Receive(buffer, held, "get a\nge").substr(6), gauge);
  CHECK(held.View() == "ge");
  CHECK(Receive(buffer, held, "t b\n") == "get b\n");
  CHECK(held.View() == "ge");  // nothing is lost before the handler has said so
  held.Keep({}, gauge);
  CHECK(held.IsEmpty());
}

TEST_CASE("a connection without a partial request holds no memory") {
  BufferGauge gauge;
  HeldInput held;
  ReadBuffer buffer;
  held.Keep(Receive(buffer, held, "half"), gauge);
  CHECK(gauge.count.Get() == 1);
  CHECK(gauge.bytes.Get() == 4);
  held.Keep({}, gauge);
  CHECK(gauge.count.Get() == 0);
  CHECK(gauge.bytes.Get() == 0);
}

TEST_CASE("a line of any length is put together from its pieces") {
  BufferGauge gauge;
  HeldInput held;
  ReadBuffer buffer;
  std::string sent;
  for (int i = 0; i < 300; ++i) {
    const std::string piece(1000, static_cast<char>('a' + i % 26));
    sent += piece;
    const std::string_view input = Receive(buffer, held, piece);
    REQUIRE(input == sent);
    held.Keep(input, gauge);
  }
  CHECK(gauge.count.Get() == 1);
  CHECK(gauge.bytes.Get() >= sent.size());
  CHECK(gauge.bytes.Get() <= 3 * sent.size());
}

TEST_CASE("a small rest does not keep a large buffer") {
  BufferGauge gauge;
  HeldInput held;
  ReadBuffer buffer;
  std::string_view input;
  for (int i = 0; i < 20; ++i) {
    input = Receive(buffer, held, std::string(10'000, 'x'));
    held.Keep(input, gauge);
  }
  REQUIRE(gauge.bytes.Get() >= 200'000);
  held.Keep(held.View().substr(199'990), gauge);
  CHECK(held.View() == "xxxxxxxxxx");
  CHECK(gauge.bytes.Get() == 10);
}

TEST_CASE("a held part may be kept as a part of itself") {
  BufferGauge gauge;
  HeldInput held;
  held.Keep("one two three", gauge);
  held.Keep(held.View().substr(4), gauge);
  CHECK(held.View() == "two three");
  held.Keep(held.View().substr(4), gauge);
  CHECK(held.View() == "three");
  held.Keep("other", gauge);
  CHECK(held.View() == "other");
}

}  // namespace
}  // namespace larder::server
