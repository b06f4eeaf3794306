#include "protocol/binary_parser.h"

#include "protocol/limits.h"

namespace larder::protocol {
namespace {

constexpr size_t kFlagsBytes = 4;
constexpr size_t kExptimeBytes = 4;
constexpr size_t kCountBytes = 8;

// In arithmetic: "do not create what is not there".
constexpr uint32_t kExptimeOfNoCreation = 0xffffffff;

bool FitsExtras(BinaryExtras extras, size_t bytes) {
  switch (extras) {
    case BinaryExtras::kNone:
      return bytes == 0;
    case BinaryExtras::kFlagsAndExptime:
      return bytes == kFlagsBytes + kExptimeBytes;
    case BinaryExtras::kArithmetic:
      return bytes == 2 * kCountBytes + kExptimeBytes;
    case BinaryExtras::kExptime:
      return bytes == kExptimeBytes;
    case BinaryExtras::kMaybeExptime:
      return bytes == 0 || bytes == kExptimeBytes;
  }
  return false;
}

bool FitsPart(BinaryPart part, size_t bytes) {
  switch (part) {
    case BinaryPart::kForbidden:
      return bytes == 0;
    case BinaryPart::kAllowed:
      return true;
    case BinaryPart::kRequired:
      return bytes != 0;
  }
  return false;
}

bool HasShapeOf(const BinaryOpcode& opcode, const BinaryHeader& header, uint32_t value_bytes) {
  return FitsExtras(opcode.extras, header.extras_bytes) && FitsPart(opcode.key, header.key_bytes) &&
         FitsPart(opcode.value, value_bytes);
}

// What memcached finds first when several things are wrong, it finds in this order.
Status FindFault(const BinaryHeader& header) {
  if (header.key_bytes + header.extras_bytes > header.body_bytes) return Status::kUnknownCommand;
  if (header.body_bytes > kBinaryBodyBytesMax) return Status::kBadLine;
  if (header.key_bytes > kKeyBytesMax) return Status::kBadLine;
  return Status::kNone;
}

// REQUIRES: extras of the opcode's shape
void ReadExtras(BinaryExtras shape, std::string_view extras, Request& request) {
  const char* from = extras.data();
  switch (shape) {
    case BinaryExtras::kFlagsAndExptime:
      request.client_flags = LoadBigEndian<uint32_t>(from);
      request.exptime = LoadBigEndian<uint32_t>(from + kFlagsBytes);
      break;
    case BinaryExtras::kArithmetic: {
      const auto exptime = LoadBigEndian<uint32_t>(from + 2 * kCountBytes);
      request.number = LoadBigEndian<uint64_t>(from);
      request.initial = LoadBigEndian<uint64_t>(from + kCountBytes);
      request.exptime = exptime;
      request.creates = exptime != kExptimeOfNoCreation;
      break;
    }
    case BinaryExtras::kExptime:
    case BinaryExtras::kMaybeExptime:
      if (!extras.empty()) request.exptime = LoadBigEndian<uint32_t>(from);
      break;
    case BinaryExtras::kNone:
      break;
  }
}

void ReadRequest(const BinaryHeader& header, std::string_view extras, std::string_view key,
                 BinaryParseResult& result) {
  const BinaryOpcode& opcode = *result.opcode;
  Request& request = result.request;
  request.key = key;
  request.noreply = opcode.loudness == BinaryLoudness::kQuiet;
  request.value_bytes = result.value_bytes;
  request.counts_at_once = false;
  if (opcode.command) request.command = *opcode.command;
  ReadExtras(opcode.extras, extras, request);
  if (opcode.extras == BinaryExtras::kArithmetic) {
    request.number_cas = header.cas;
  } else {
    request.number = header.cas;
  }
}

BinaryParseResult& Refuse(BinaryParseResult& result, Status error, bool is_hopeless) {
  result.status = ParseStatus::kError;
  result.error = error;
  result.is_hopeless = is_hopeless;
  return result;
}

}  // namespace

BinaryParseResult ParseBinaryRequest(std::string_view input) {
  BinaryParseResult result;
  if (input.size() < kBinaryHeaderBytes) return result;
  const BinaryHeader header = LoadBinaryHeader(input.data());
  const size_t head_bytes = kBinaryHeaderBytes + header.extras_bytes + header.key_bytes;
  if (header.magic != kBinaryRequestMagic || head_bytes > kBinaryHeadBytesMax) {
    result.status = ParseStatus::kClose;
    return result;
  }
  // Even what is refused is refused only now: a client that is still writing might not read.
  if (input.size() < head_bytes) return result;

  result.echo = {.opaque = header.opaque, .opcode = header.opcode};
  result.consumed_bytes = head_bytes;
  const Status fault = FindFault(header);
  if (fault != Status::kNone) return Refuse(result, fault, true);
  result.value_bytes = header.body_bytes - header.extras_bytes - header.key_bytes;
  result.opcode = FindBinaryOpcode(header.opcode);
  if (result.opcode == nullptr) return Refuse(result, Status::kUnknownCommand, false);
  if (!HasShapeOf(*result.opcode, header, result.value_bytes)) {
    return Refuse(result, Status::kBadLine, true);
  }
  if (result.opcode->work == BinaryWork::kUnknown) {
    return Refuse(result, Status::kUnknownCommand, false);
  }
  result.status = ParseStatus::kRequest;
  const std::string_view extras = input.substr(kBinaryHeaderBytes, header.extras_bytes);
  ReadRequest(header, extras, input.substr(head_bytes - header.key_bytes, header.key_bytes),
              result);
  return result;
}

}  // namespace larder::protocol
