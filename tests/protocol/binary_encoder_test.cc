#include "protocol/binary_encoder.h"

#include <string>

#include <catch2/catch.hpp>

#include "tests/protocol/binary_packets.h"
#include "tests/protocol/string_sink.h"

namespace larder::protocol {
namespace {

constexpr BinaryEcho kEcho{.opaque = 0xa1b2c3d4, .opcode = 0x0c};

std::string Encode(BinaryAnswer answer, const Outcome& outcome) {
  StringSink sink;
  WriteBinaryOutcome(kEcho, answer, outcome, sink);
  return sink.Take();
}

TEST_CASE("numbers are swapped to the order of the wire and back") {
  char bytes[8];
  CHECK(StoreBigEndian(bytes, uint64_t{0x0102030405060708}) == bytes + 8);
  CHECK(std::string(bytes, 8) == "\x01\x02\x03\x04\x05\x06\x07\x08");
  CHECK(LoadBigEndian<uint64_t>(bytes) == 0x0102030405060708);
  CHECK(LoadBigEndian<uint32_t>(bytes) == 0x01020304);
  CHECK(LoadBigEndian<uint16_t>(bytes) == 0x0102);
  CHECK(LoadBigEndian<uint8_t>(bytes) == 0x01);
}

TEST_CASE("every field of a response's header stands in its place") {
  StringSink sink;
  const FoundValue found{
      .key = "key", .value = "value", .cas = 0x1122334455667788, .client_flags = 0xdeadbeef};
  WriteBinaryValue(kEcho, BinaryAnswer::kKeyAndValue, found, sink);
  CHECK(sink.Take() == std::string("\x81\x0c\x00\x03\x04\x00\x00\x00\x00\x00\x00\x0c"
                                   "\xa1\xb2\xc3\xd4\x11\x22\x33\x44\x55\x66\x77\x88"
                                   "\xde\xad\xbe\xef"
                                   "keyvalue",
                                   36));
}

TEST_CASE("each error has its code and its text") {
  struct Row {
    Status status;
    std::string text;
  };
  for (const auto& [status, text] : std::initializer_list<Row>{
           {Status::kNotFound, "01 a1b2c3d4 [Not found]"},
           {Status::kExists, "02 a1b2c3d4 [Data exists for key.]"},
           {Status::kTooLarge, "03 a1b2c3d4 [Too large.]"},
           {Status::kBadLine, "04 a1b2c3d4 [Invalid arguments]"},
           {Status::kNotStored, "05 a1b2c3d4 [Not stored.]"},
           {Status::kNonNumeric, "06 a1b2c3d4 [Non-numeric server-side value for incr or decr]"},
           {Status::kFlushNotAllowed, "20 a1b2c3d4 [Auth failure.]"},
           {Status::kUnknownCommand, "81 a1b2c3d4 [Unknown command]"},
           {Status::kNoMemoryToStore, "82 a1b2c3d4 [Out of memory allocating item]"},
           {Status::kNoMemoryDuringRead, "82 a1b2c3d4 [Out of memory during read]"},
           {Status::kNoMemory, "82 a1b2c3d4 [Out of memory incrementing value]"},
           {Status::kNoMemoryToCreate, "82 a1b2c3d4 [Out of memory allocating new item]"},
       }) {
    // An error brings neither number nor cas, whatever the opcode answers.
    const Outcome outcome{.status = status, .number = 5, .cas = 7};
    CHECK(Describe(Encode(BinaryAnswer::kNumber, outcome)) == "0c " + text + "\n");
    StringSink sink;
    WriteBinaryError(kEcho, status, sink);
    CHECK(Describe(sink.Take()) == "0c " + text + "\n");
  }
}

TEST_CASE("a success brings what its opcode answers") {
  CHECK(Describe(Encode(BinaryAnswer::kEmpty, {.status = Status::kStored, .cas = 9})) ==
        "0c 00 a1b2c3d4 cas\n");
  CHECK(Describe(Encode(BinaryAnswer::kEmpty, {.status = Status::kDeleted})) == "0c 00 a1b2c3d4\n");
  CHECK(Describe(Encode(BinaryAnswer::kEmpty, {.status = Status::kMetaNoop})) ==
        "0c 00 a1b2c3d4\n");
  CHECK(Describe(Encode(BinaryAnswer::kVersion, {.status = Status::kVersion})) ==
        "0c 00 a1b2c3d4 [1.6.45]\n");
  const Outcome number{.status = Status::kNumber, .number = 0x4142434445464748, .cas = 1};
  CHECK(Describe(Encode(BinaryAnswer::kNumber, number)) == "0c 00 a1b2c3d4 [ABCDEFGH] cas\n");
}

TEST_CASE("what was found is shown as far as the opcode shows it") {
  const FoundValue found{.key = "key", .value = "value", .cas = 1, .client_flags = 5};
  StringSink sink;
  WriteBinaryValue(kEcho, BinaryAnswer::kValue, found, sink);
  CHECK(Describe(sink.Take()) == "0c 00 a1b2c3d4 flags 5 [value] cas\n");
  WriteBinaryValue(kEcho, BinaryAnswer::kKeyAndValue, found, sink);
  CHECK(Describe(sink.Take()) == "0c 00 a1b2c3d4 flags 5 key [key] [value] cas\n");
  WriteBinaryValue(kEcho, BinaryAnswer::kFlags, found, sink);
  CHECK(Describe(sink.Take()) == "0c 00 a1b2c3d4 flags 5 cas\n");
  WriteBinaryValue(kEcho, BinaryAnswer::kValue, {.key = "key", .value = ""}, sink);
  CHECK(Describe(sink.Take()) == "0c 00 a1b2c3d4 flags 0\n");
}

TEST_CASE("a lent value makes the same packet as a copied one, and is released") {
  const FoundValue found{.key = "key", .value = "value", .cas = 1, .client_flags = 5};
  int released = 0;
  StringSink sink;
  WriteLentBinaryValue(
      kEcho, BinaryAnswer::kKeyAndValue, found, [](void* count) { ++*static_cast<int*>(count); },
      &released, sink);
  CHECK(sink.LoanCount() == 1);
  const std::string lent = sink.Take();
  CHECK(released == 1);
  WriteBinaryValue(kEcho, BinaryAnswer::kKeyAndValue, found, sink);
  CHECK(lent == sink.Take());
}

TEST_CASE("a miss is told in words, or with the key where hits show it") {
  StringSink sink;
  WriteBinaryMiss(kEcho, BinaryAnswer::kValue, "key", sink);
  WriteBinaryMiss(kEcho, BinaryAnswer::kFlags, "key", sink);
  WriteBinaryMiss(kEcho, BinaryAnswer::kKeyAndValue, "key", sink);
  CHECK(Describe(sink.Take()) ==
        "0c 01 a1b2c3d4 [Not found]\n0c 01 a1b2c3d4 [Not found]\n0c 01 a1b2c3d4 key [key]\n");
}

TEST_CASE("a figure is a key and a value, and the last packet has neither") {
  StringSink sink;
  WriteBinaryStat(kEcho, "pid", "17", sink);
  WriteBinaryStat(kEcho, {}, {}, sink);
  CHECK(Describe(sink.Take()) == "0c 00 a1b2c3d4 key [pid] [17]\n0c 00 a1b2c3d4\n");
}

TEST_CASE("a quiet look-up hides its miss, every other quiet opcode its success") {
  const BinaryOpcode& get = *FindBinaryOpcode(0x00);
  const BinaryOpcode& getq = *FindBinaryOpcode(0x09);
  const BinaryOpcode& setq = *FindBinaryOpcode(0x11);
  const BinaryOpcode& deleteq = *FindBinaryOpcode(0x14);
  CHECK_FALSE(IsSilent(get, Status::kNotFound));
  CHECK(IsSilent(getq, Status::kNotFound));
  CHECK_FALSE(IsSilent(getq, Status::kBadLine));
  CHECK(IsSilent(setq, Status::kStored));
  CHECK_FALSE(IsSilent(setq, Status::kTooLarge));
  CHECK(IsSilent(deleteq, Status::kDeleted));
  CHECK_FALSE(IsSilent(deleteq, Status::kNotFound));
}

}  // namespace
}  // namespace larder::protocol
