#include "protocol/udp_frame.h"

#include <array>
#include <catch2/catch.hpp>
#include <string>

namespace larder::protocol {
namespace {

using namespace std::string_literals;

TEST_CASE("a request is one datagram, known by its id") {
  const std::string datagram = "\x12\x34\0\0\0\1\0\0get a\r\n"s;
  const std::optional<UdpRequest> request = ReadUdpRequest(datagram);
  REQUIRE(request.has_value());
  CHECK(request->request_id == 0x1234);
  CHECK(request->payload == "get a\r\n");
}

TEST_CASE("the numbers of a request's header are unsigned and big-endian") {
  CHECK(ReadUdpRequest("\xff\xfe\0\0\0\1\0\0x"s)->request_id == 0xfffe);
}

TEST_CASE("the sequence and the reserved field of a request do not matter") {
  CHECK(ReadUdpRequest("\0\7\0\3\0\1\xff\xffx"s).has_value());
}

TEST_CASE("what is no whole request is none") {
  const std::string whole = "\0\1\0\0\0\1\0\0x"s;
  for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
    CHECK_FALSE(ReadUdpRequest(whole.substr(0, bytes)).has_value());
  }
  CHECK_FALSE(ReadUdpRequest("\0\1\0\0\0\0\0\0x"s).has_value());  // of no datagram
  CHECK_FALSE(ReadUdpRequest("\0\1\0\0\0\2\0\0x"s).has_value());  // of two
  CHECK_FALSE(ReadUdpRequest("\0\1\0\0\1\1\0\0x"s).has_value());  // of 257
  CHECK_FALSE(ReadUdpRequest("not a frame at all\r\n").has_value());
}

TEST_CASE("a header that is written reads back") {
  std::array<char, kUdpHeaderBytes> bytes;
  bytes.fill('?');
  WriteUdpHeader({0xabcd, 0x0102, 0xfeff}, bytes.data());
  CHECK(std::string(bytes.data(), bytes.size()) == "\xab\xcd\x01\x02\xfe\xff\0\0"s);
}

TEST_CASE("an answer takes as many datagrams as its bytes need") {
  CHECK(UdpDatagramCount(0) == 0);
  CHECK(UdpDatagramCount(1) == 1);
  CHECK(UdpDatagramCount(1392) == 1);
  CHECK(UdpDatagramCount(1393) == 2);
  CHECK(UdpDatagramCount(3 * 1392) == 3);
}

}  // namespace
}  // namespace larder::protocol
