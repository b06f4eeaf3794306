#include "protocol/binary_encoder.h"

#include <array>
#include <cstring>

#include "protocol/limits.h"

namespace larder::protocol {
namespace {

struct StatusRow {
  Status status;
  uint16_t code;
  std::string_view text;
};

constexpr auto kStatusRows = std::to_array<StatusRow>({
#define BINARY_STATUS(status, code, text) {Status::status, code, text},
#include "protocol/binary_statuses.def"
#undef BINARY_STATUS
});

constexpr const StatusRow& RowOf(Status status) {
  for (const StatusRow& row : kStatusRows) {
    if (row.status == status) return row;
  }
  return RowOf(Status::kBadLine);  // of the text protocol: something was wrong with the request
}

constexpr size_t kClientFlagsBytes = 4;
constexpr size_t kFoundHeadBytesMax = kBinaryHeaderBytes + kClientFlagsBytes + kKeyBytesMax;

char* Put(char* to, std::string_view text) {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());  // memcpy takes no null pointer
  return to + text.size();
}

BinaryHeader HeaderOf(const BinaryEcho& echo, Status status) {
  return {.opcode = echo.opcode, .status = RowOf(status).code, .opaque = echo.opaque};
}

// A packet that is written whole.
void WritePacket(BinaryHeader header, std::string_view key, std::string_view value,
                 ReplySink& replies) {
  header.key_bytes = static_cast<uint16_t>(key.size());
  header.body_bytes = static_cast<uint32_t>(key.size() + value.size());
  char* const begin = replies.Reserve(kBinaryHeaderBytes + header.body_bytes);
  char* const end = Put(Put(StoreBinaryHeader(begin, header), key), value);
  replies.Advance(static_cast<size_t>(end - begin));
}

// Everything before the value; `value_bytes` follow.
char* PutFoundHead(char* to, const BinaryEcho& echo, std::string_view key, size_t value_bytes,
                   const FoundValue& found) {
  BinaryHeader header = HeaderOf(echo, Status::kOk);
  header.cas = found.cas;
  header.extras_bytes = kClientFlagsBytes;
  header.key_bytes = static_cast<uint16_t>(key.size());
  header.body_bytes = static_cast<uint32_t>(kClientFlagsBytes + key.size() + value_bytes);
  to = StoreBinaryHeader(to, header);
  to = StoreBigEndian(to, found.client_flags);
  return Put(to, key);
}

std::string_view KeyShown(BinaryAnswer answer, std::string_view key) {
  return answer == BinaryAnswer::kKeyAndValue ? key : std::string_view();
}

}  // namespace

bool IsSilent(const BinaryOpcode& opcode, Status status) {
  if (opcode.loudness == BinaryLoudness::kLoud) return false;
  if (opcode.work == BinaryWork::kLookUp) return status == Status::kNotFound;
  return BinaryStatusCode(status) == 0;
}

uint16_t BinaryStatusCode(Status status) { return RowOf(status).code; }

void WriteBinaryError(const BinaryEcho& echo, Status error, ReplySink& replies) {
  WritePacket(HeaderOf(echo, error), {}, RowOf(error).text, replies);
}

void WriteBinaryOutcome(const BinaryEcho& echo, BinaryAnswer answer, const Outcome& outcome,
                        ReplySink& replies) {
  BinaryHeader header = HeaderOf(echo, outcome.status);
  if (header.status != 0) return WriteBinaryError(echo, outcome.status, replies);
  header.cas = outcome.cas;
  std::array<char, sizeof(uint64_t)> number;
  std::string_view value;
  if (answer == BinaryAnswer::kNumber) {
    StoreBigEndian(number.data(), outcome.number);
    value = {number.data(), number.size()};
  } else if (answer == BinaryAnswer::kVersion) {
    value = SpokenVersion();
  }
  WritePacket(header, {}, value, replies);
}

void WriteBinaryMiss(const BinaryEcho& echo, BinaryAnswer answer, std::string_view key,
                     ReplySink& replies) {
  if (answer != BinaryAnswer::kKeyAndValue) {
    return WriteBinaryError(echo, Status::kNotFound, replies);
  }
  WritePacket(HeaderOf(echo, Status::kNotFound), key, {}, replies);
}

void WriteBinaryValue(const BinaryEcho& echo, BinaryAnswer answer, const FoundValue& found,
                      ReplySink& replies) {
  const std::string_view value = answer == BinaryAnswer::kFlags ? std::string_view() : found.value;
  const std::string_view key = KeyShown(answer, found.key);
  char* const begin = replies.Reserve(kFoundHeadBytesMax + value.size());
  char* const end = Put(PutFoundHead(begin, echo, key, value.size(), found), value);
  replies.Advance(static_cast<size_t>(end - begin));
}

void WriteLentBinaryValue(const BinaryEcho& echo, BinaryAnswer answer, const FoundValue& found,
                          ReplySink::ReleaseFn release, void* opaque, ReplySink& replies) {
  const std::string_view key = KeyShown(answer, found.key);
  char* const begin = replies.Reserve(kFoundHeadBytesMax);
  char* const end = PutFoundHead(begin, echo, key, found.value.size(), found);
  replies.Advance(static_cast<size_t>(end - begin));
  replies.Lend(found.value, release, opaque);
}

void WriteBinaryStat(const BinaryEcho& echo, std::string_view name, std::string_view value,
                     ReplySink& replies) {
  WritePacket(HeaderOf(echo, Status::kOk), name, value, replies);
}

}  // namespace larder::protocol
