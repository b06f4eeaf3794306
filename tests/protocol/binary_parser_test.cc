#include "protocol/binary_parser.h"

#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/limits.h"
#include "tests/protocol/binary_packets.h"

namespace larder::protocol {
namespace {

std::string ExtrasOf(BinaryExtras shape) {
  switch (shape) {
    case BinaryExtras::kNone:
      return "";
    case BinaryExtras::kFlagsAndExptime:
      return FlagsAndExptime(0x01020304, 0xfffffffe);
    case BinaryExtras::kArithmetic:
      return Arithmetic(0x0102030405060708, 0x1112131415161718, 60);
    case BinaryExtras::kExptime:
    case BinaryExtras::kMaybeExptime:
      return Exptime(77);
  }
  return "";
}

// A packet of the opcode's shape, with every part that it may have.
Packet FullPacket(const BinaryOpcode& opcode) {
  Packet packet{.opcode = opcode.code, .extras = ExtrasOf(opcode.extras), .opaque = 0xa1b2c3d4};
  if (opcode.key != BinaryPart::kForbidden) packet.key = "key";
  if (opcode.value != BinaryPart::kForbidden) packet.value = "value";
  return packet;
}

// The parser must not look beyond what it is shown: sanitizers watch a copy of just that.
BinaryParseResult Parse(std::string_view bytes) {
  const std::vector<char> input(bytes.begin(), bytes.end());
  BinaryParseResult result = ParseBinaryRequest({input.data(), input.size()});
  result.request.key = {};  // lent from the copy
  return result;
}

void CheckRefused(const Packet& packet, Status error, bool is_hopeless) {
  const BinaryParseResult result = Parse(packet.Bytes());
  CHECK(result.status == ParseStatus::kError);
  CHECK(result.error == error);
  CHECK(result.is_hopeless == is_hopeless);
  CHECK(result.echo.opcode == packet.opcode);
  CHECK(result.echo.opaque == packet.opaque);
}

TEST_CASE("no opcode stands in the table twice, and each is found by its code") {
  std::set<int> codes;
  for (const BinaryOpcode& opcode : kBinaryOpcodes) {
    CHECK(codes.insert(opcode.code).second);
    CHECK(FindBinaryOpcode(opcode.code) == &opcode);
  }
  int found = 0;
  for (int code = 0; code < 256; ++code) {
    found += FindBinaryOpcode(static_cast<uint8_t>(code)) != nullptr;
  }
  CHECK(found == static_cast<int>(kBinaryOpcodes.size()));
}

TEST_CASE("a quiet opcode differs from its loud twin in loudness only") {
  struct Pair {
    uint8_t loud;
    uint8_t quiet;
  };
  for (const Pair pair : {Pair{0x00, 0x09},
                          {0x0c, 0x0d},
                          {0x01, 0x11},
                          {0x02, 0x12},
                          {0x03, 0x13},
                          {0x04, 0x14},
                          {0x05, 0x15},
                          {0x06, 0x16},
                          {0x07, 0x17},
                          {0x08, 0x18},
                          {0x0e, 0x19},
                          {0x0f, 0x1a},
                          {0x1d, 0x1e},
                          {0x23, 0x24}}) {
    INFO(static_cast<int>(pair.quiet));
    const BinaryOpcode& loud = *FindBinaryOpcode(pair.loud);
    const BinaryOpcode& quiet = *FindBinaryOpcode(pair.quiet);
    CHECK(loud.loudness == BinaryLoudness::kLoud);
    CHECK(quiet.loudness == BinaryLoudness::kQuiet);
    CHECK(loud.work == quiet.work);
    CHECK(loud.command == quiet.command);
    CHECK(loud.answer == quiet.answer);
    CHECK(loud.extras == quiet.extras);
    CHECK(loud.key == quiet.key);
    CHECK(loud.value == quiet.value);
  }
}

TEST_CASE("a packet of each opcode is parsed wherever the input ends") {
  for (const BinaryOpcode& opcode : kBinaryOpcodes) {
    const Packet packet = FullPacket(opcode);
    const std::string bytes = packet.Bytes() + "what follows";
    const size_t head_bytes = kBinaryHeaderBytes + packet.extras.size() + packet.key.size();
    for (size_t shown = 0; shown <= bytes.size(); ++shown) {
      INFO(static_cast<int>(opcode.code) << " shown " << shown);
      const BinaryParseResult result = Parse(std::string_view(bytes).substr(0, shown));
      if (shown < head_bytes) {
        REQUIRE(result.status == ParseStatus::kNeedMore);
        continue;
      }
      const bool is_known = opcode.work != BinaryWork::kUnknown;
      REQUIRE(result.status == (is_known ? ParseStatus::kRequest : ParseStatus::kError));
      REQUIRE(result.consumed_bytes == head_bytes);
      REQUIRE(result.value_bytes == packet.value.size());
      REQUIRE(result.echo.opaque == packet.opaque);
      REQUIRE(result.opcode == &opcode);
    }
  }
}

TEST_CASE("a packet of a shape that is not the opcode's ends the conversation") {
  for (const BinaryOpcode& opcode : kBinaryOpcodes) {
    INFO(static_cast<int>(opcode.code));
    const Packet good = FullPacket(opcode);
    for (size_t extras = 0; extras <= 24; ++extras) {
      Packet packet = good;
      packet.extras = std::string(extras, 'e');
      const bool may_be_absent = opcode.extras == BinaryExtras::kMaybeExptime && extras == 0;
      if (extras == good.extras.size() || may_be_absent) continue;
      CheckRefused(packet, Status::kBadLine, true);
    }
    Packet other_key = good;
    other_key.key = opcode.key == BinaryPart::kForbidden ? "key" : "";
    if (opcode.key != BinaryPart::kAllowed) CheckRefused(other_key, Status::kBadLine, true);
    Packet with_value = good;
    with_value.value = "v";
    if (opcode.value == BinaryPart::kForbidden) CheckRefused(with_value, Status::kBadLine, true);
  }
}

TEST_CASE("a store says its key, flags, exptime, value and cas") {
  const std::string bytes = Packet{.opcode = 0x01,
                                   .key = "key",
                                   .extras = FlagsAndExptime(0xdeadbeef, 0xffffffff),
                                   .value = "value",
                                   .cas = 0x1122334455667788}
                                .Bytes();
  const BinaryParseResult result = ParseBinaryRequest(bytes);
  REQUIRE(result.status == ParseStatus::kRequest);
  CHECK(result.request.command == Command::kSet);
  CHECK(result.request.key == "key");
  CHECK(result.request.client_flags == 0xdeadbeef);
  CHECK(result.request.exptime == 0xffffffff);
  CHECK(result.request.value_bytes == 5);
  CHECK(result.request.number == 0x1122334455667788);
  CHECK_FALSE(result.request.noreply);
}

TEST_CASE("arithmetic says its delta, initial number and cas, and whether it creates") {
  Packet packet{.opcode = 0x15,
                .key = "n",
                .extras = Arithmetic(0x0102030405060708, 0x1112131415161718, 60),
                .cas = 9};
  const std::string creating = packet.Bytes();
  const Request request = ParseBinaryRequest(creating).request;
  CHECK(request.command == Command::kIncr);
  CHECK(request.number == 0x0102030405060708);
  CHECK(request.initial == 0x1112131415161718);
  CHECK(request.exptime == 60);
  CHECK(request.number_cas == 9);
  CHECK(request.creates);
  CHECK(request.noreply);
  packet.extras = Arithmetic(1, 2, 0xffffffff);
  CHECK_FALSE(Parse(packet.Bytes()).request.creates);
  packet.extras = Arithmetic(1, 2, 0xfffffffe);
  CHECK(Parse(packet.Bytes()).request.creates);
}

TEST_CASE("a flush has an exptime or none, a stat has a group or none") {
  CHECK(Parse(Packet{.opcode = 0x08}.Bytes()).request.exptime == 0);
  CHECK(Parse(Packet{.opcode = 0x08, .extras = Exptime(9)}.Bytes()).request.exptime == 9);
  const std::string settings = Packet{.opcode = 0x10, .key = "settings"}.Bytes();
  CHECK(ParseBinaryRequest(settings).request.key == "settings");
  CHECK(Parse(Packet{.opcode = 0x10}.Bytes()).status == ParseStatus::kRequest);
}

TEST_CASE("an opcode that is none is skipped with its whole body") {
  const Packet packet{
      .opcode = 0x60, .key = "cluster", .extras = Exptime(1), .value = "value", .opaque = 5};
  CheckRefused(packet, Status::kUnknownCommand, false);
  const BinaryParseResult result = Parse(packet.Bytes());
  CHECK(result.consumed_bytes + result.value_bytes == packet.Bytes().size());
}

TEST_CASE("lengths that contradict each other end the conversation") {
  Packet packet = StorePacket(0x01, "key", "");
  packet.body_bytes = 10;
  CheckRefused(packet, Status::kUnknownCommand, true);
  packet.body_bytes = 11;
  CHECK(Parse(packet.Bytes()).status == ParseStatus::kRequest);
}

TEST_CASE("a body of more than a gibibyte ends the conversation") {
  Packet packet = StorePacket(0x01, "key", "");
  packet.body_bytes = kBinaryBodyBytesMax;
  CHECK(Parse(packet.Bytes()).value_bytes == kBinaryBodyBytesMax - 11);
  packet.body_bytes = int64_t{kBinaryBodyBytesMax} + 1;
  CheckRefused(packet, Status::kBadLine, true);
  packet.body_bytes = 0xffffffff;
  CheckRefused(packet, Status::kBadLine, true);
}

TEST_CASE("a key of 250 bytes is the longest") {
  const std::string longest(kKeyBytesMax, 'k');
  CHECK(Parse(Packet{.opcode = 0x00, .key = longest}.Bytes()).status == ParseStatus::kRequest);
  CheckRefused({.opcode = 0x00, .key = longest + "k"}, Status::kBadLine, true);
  CheckRefused({.opcode = 0xee, .key = longest + "k"}, Status::kBadLine, true);
}

TEST_CASE("header, extras and key that no read buffer holds are not waited for") {
  Packet packet{.opcode = 0xee, .extras = std::string(200, 'e'), .key_bytes = 16160};
  CHECK(Parse(packet.Bytes()).status == ParseStatus::kNeedMore);
  packet.key_bytes = 16161;
  CHECK(Parse(packet.Bytes()).status == ParseStatus::kClose);
  packet.key_bytes = 65535;
  CHECK(Parse(packet.Bytes()).status == ParseStatus::kClose);
}

TEST_CASE("what does not begin as a request is given up once a header is there") {
  for (const std::string& bytes : {Packet{.magic = '\x81'}.Bytes(), std::string(24, 'x'),
                                   "get a\r\n" + std::string(17, ' ')}) {
    REQUIRE(bytes.size() == kBinaryHeaderBytes);
    for (size_t shown = 0; shown < bytes.size(); ++shown) {
      CHECK(Parse(std::string_view(bytes).substr(0, shown)).status == ParseStatus::kNeedMore);
    }
    CHECK(Parse(bytes).status == ParseStatus::kClose);
  }
}

}  // namespace
}  // namespace larder::protocol
