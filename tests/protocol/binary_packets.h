// tests/protocol/binary_packets.h - packets of the binary protocol for tests: requests from their
// fields, responses as lines that a person can read.
//
// Not here the code under test: numbers are put together and taken apart by hand.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace larder::protocol {

// `bytes` bytes of a number, the highest first.
inline std::string BigEndian(uint64_t number, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    text += static_cast<char>(number >> shift);
  }
  return text;
}

inline uint64_t FromBigEndian(std::string_view bytes) {
  uint64_t number = 0;
  for (const char each : bytes) number = (number << 8) | static_cast<uint8_t>(each);
  return number;
}

// A request. Lengths are right unless they are said to be others.
struct Packet {
  int opcode = 0;
  std::string key = {};
  std::string extras = {};
  std::string value = {};
  uint64_t cas = 0;
  uint32_t opaque = 0;
  int64_t key_bytes = -1;
  int64_t body_bytes = -1;
  char magic = '\x80';

  [[nodiscard]] std::string Bytes() const {
    const std::string body = extras + key + value;
    const auto key_count = static_cast<uint64_t>(key_bytes < 0 ? Length(key) : key_bytes);
    const auto body_count = static_cast<uint64_t>(body_bytes < 0 ? Length(body) : body_bytes);
    return magic + BigEndian(static_cast<uint64_t>(opcode), 1) + BigEndian(key_count, 2) +
           BigEndian(extras.size(), 1) + BigEndian(0, 3) + BigEndian(body_count, 4) +
           BigEndian(opaque, 4) + BigEndian(cas, 8) + body;
  }

 private:
  static int64_t Length(std::string_view text) { return static_cast<int64_t>(text.size()); }
};

// Extras by their shape.
inline std::string FlagsAndExptime(uint32_t flags, uint32_t exptime = 0) {
  return BigEndian(flags, 4) + BigEndian(exptime, 4);
}
inline std::string Arithmetic(uint64_t delta, uint64_t initial, uint32_t exptime) {
  return BigEndian(delta, 8) + BigEndian(initial, 8) + BigEndian(exptime, 4);
}
inline std::string Exptime(uint32_t exptime) { return BigEndian(exptime, 4); }

// A store under its usual opcode.
inline Packet StorePacket(int opcode, std::string key, std::string value, uint64_t cas = 0) {
  return {.opcode = opcode,
          .key = std::move(key),
          .extras = FlagsAndExptime(0),
          .value = std::move(value),
          .cas = cas};
}

// The responses in `bytes`, a line each: opcode, status and opaque in hex, then what there is of
// extras, key and value in square brackets, `cas` where there is one, so that what depends on
// chance does not show. What is no whole packet ends the text as `garbage` and its bytes.
inline std::string Describe(std::string_view bytes) {
  constexpr size_t kHeaderBytes = 24;
  std::string text;
  while (!bytes.empty()) {
    const size_t body = bytes.size() < kHeaderBytes ? 0 : FromBigEndian(bytes.substr(8, 4));
    if (bytes.size() < kHeaderBytes + body || bytes[0] != '\x81' || bytes[5] != 0) {
      return text + "garbage " + std::string(bytes);
    }
    const size_t key = FromBigEndian(bytes.substr(2, 2));
    const size_t extras = FromBigEndian(bytes.substr(4, 1));
    char head[64];
    std::snprintf(head, sizeof(head), "%02llx %02llx %llx",
                  static_cast<unsigned long long>(FromBigEndian(bytes.substr(1, 1))),
                  static_cast<unsigned long long>(FromBigEndian(bytes.substr(6, 2))),
                  static_cast<unsigned long long>(FromBigEndian(bytes.substr(12, 4))));
    text += head;
    const std::string_view content = bytes.substr(kHeaderBytes, body);
    if (extras == 4) text += " flags " + std::to_string(FromBigEndian(content.substr(0, 4)));
    if (key != 0) text += " key [" + std::string(content.substr(extras, key)) + "]";
    if (body > extras + key) text += " [" + std::string(content.substr(extras + key)) + "]";
    if (FromBigEndian(bytes.substr(16, 8)) != 0) text += " cas";
    text += "\n";
    bytes.remove_prefix(kHeaderBytes + body);
  }
  return text;
}

}  // namespace larder::protocol
