#include "protocol/udp_frame.h"

namespace larder::protocol {
namespace {

constexpr size_t kIdAt = 0;
constexpr size_t kSequenceAt = 2;
constexpr size_t kTotalAt = 4;
constexpr size_t kReservedAt = 6;

uint16_t Read16(std::string_view datagram, size_t at) {
  const auto high = static_cast<uint8_t>(datagram[at]);
  const auto low = static_cast<uint8_t>(datagram[at + 1]);
  return static_cast<uint16_t>(high << 8 | low);
}

void Write16(uint16_t number, char* to) {
  to[0] = static_cast<char>(number >> 8);
  to[1] = static_cast<char>(number & 0xff);
}

}  // namespace

std::optional<UdpRequest> ReadUdpRequest(std::string_view datagram) {
  if (datagram.size() <= kUdpHeaderBytes) return std::nullopt;
  if (Read16(datagram, kTotalAt) != 1) return std::nullopt;
  return UdpRequest{Read16(datagram, kIdAt), datagram.substr(kUdpHeaderBytes)};
}

void WriteUdpHeader(const UdpHeader& header, char* to) {
  Write16(header.request_id, to + kIdAt);
  Write16(header.sequence, to + kSequenceAt);
  Write16(header.total, to + kTotalAt);
  Write16(0, to + kReservedAt);
}

}  // namespace larder::protocol
