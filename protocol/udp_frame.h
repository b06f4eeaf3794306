// protocol/udp_frame.h - the header that stands before each datagram of the UDP protocol.
//
//      0      2      4      6      8
//     +------+------+------+------+----
//     |  id  | seq  | total|  0   | payload      four big-endian 16-bit numbers
//     +------+------+------+------+----
//
// A request is one datagram (total 1). An answer is `total` datagrams, numbered by `seq` from 0,
// that bear the request's id; the client puts them together.
//
// Threads  pure functions.
// Errors   nullopt: no request, and not to be answered.
// Not here sockets, and how a request's answers are told apart: server/net/udp_endpoint.h
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace larder::protocol {

inline constexpr size_t kUdpHeaderBytes = 8;
// With its header an answer's datagram fits the usual MTU of 1,500 bytes.
inline constexpr size_t kUdpDatagramBytesMax = 1400;
inline constexpr size_t kUdpPayloadBytesMax = kUdpDatagramBytesMax - kUdpHeaderBytes;
// What `total` can count.
inline constexpr size_t kUdpDatagramsPerAnswerMax = 65'535;

struct UdpHeader {
  uint16_t request_id = 0;
  uint16_t sequence = 0;
  uint16_t total = 0;
};

struct UdpRequest {
  uint16_t request_id = 0;
  std::string_view payload;  // not empty; lent by the datagram
};

// A datagram without payload, and a part of a request in several datagrams, is no request. As in
// memcached the sequence and the reserved field are not looked at.
[[nodiscard]] std::optional<UdpRequest> ReadUdpRequest(std::string_view datagram);

// REQUIRES: room for kUdpHeaderBytes at `to`
void WriteUdpHeader(const UdpHeader& header, char* to);

// How many datagrams an answer of so many bytes takes.
[[nodiscard]] constexpr size_t UdpDatagramCount(size_t answer_bytes) {
  return (answer_bytes + kUdpPayloadBytesMax - 1) / kUdpPayloadBytesMax;
}

}  // namespace larder::protocol
