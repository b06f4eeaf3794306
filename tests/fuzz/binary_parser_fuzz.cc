// Any bytes at all, as packets: the parser stays inside them, waits while a packet's head is not
// whole, and says the same of it whatever stands behind.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/binary_format.h"
#include "protocol/binary_parser.h"
#include "tests/fuzz/require.h"

namespace {

using larder::fuzz::IsWithin;
using larder::fuzz::Require;
using larder::protocol::BinaryParseResult;
using larder::protocol::ParseBinaryRequest;
using larder::protocol::ParseStatus;

void RequireSame(const BinaryParseResult& a, const BinaryParseResult& b) {
  Require(a.status == b.status && a.error == b.error && a.is_hopeless == b.is_hopeless);
  if (a.status == ParseStatus::kClose) return;
  Require(a.consumed_bytes == b.consumed_bytes && a.value_bytes == b.value_bytes);
  Require(a.opcode == b.opcode);
  if (a.status != ParseStatus::kRequest) return;
  Require(a.request.command == b.request.command && a.request.key == b.request.key);
  Require(a.request.number == b.request.number && a.request.initial == b.request.initial);
  Require(a.request.number_cas == b.request.number_cas && a.request.creates == b.request.creates);
  Require(a.request.exptime == b.request.exptime && a.request.noreply == b.request.noreply);
  Require(a.request.client_flags == b.request.client_flags);
  Require(a.request.value_bytes == b.request.value_bytes);
}

// Each prefix is a copy, so that sanitizers see who looks at the next byte.
void RequireSameAtEverySplit(std::string_view head, const BinaryParseResult& whole) {
  for (size_t bytes = 0; bytes <= head.size(); ++bytes) {
    const std::vector<char> arrived(head.begin(), head.begin() + static_cast<ptrdiff_t>(bytes));
    const BinaryParseResult part = ParseBinaryRequest({arrived.data(), arrived.size()});
    if (part.status != ParseStatus::kNeedMore) {
      RequireSame(part, whole);
      return;
    }
  }
  Require(whole.status == ParseStatus::kNeedMore);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  while (!input.empty()) {
    const BinaryParseResult result = ParseBinaryRequest(input);
    Require(result.consumed_bytes <= input.size());
    if (result.status == ParseStatus::kNeedMore) Require(result.consumed_bytes == 0);
    if (result.status != ParseStatus::kRequest && result.status != ParseStatus::kError) {
      RequireSameAtEverySplit(input, result);
      break;
    }
    if (result.status == ParseStatus::kRequest) {
      Require(result.opcode != nullptr);
      Require(result.consumed_bytes >= larder::protocol::kBinaryHeaderBytes);
      Require(result.consumed_bytes <= larder::protocol::kBinaryHeadBytesMax);
      Require(IsWithin(result.request.key, input.substr(0, result.consumed_bytes)));
    }
    RequireSameAtEverySplit(input.substr(0, result.consumed_bytes), result);
    if (result.is_hopeless || result.consumed_bytes == 0) break;
    input.remove_prefix(result.consumed_bytes);
    input.remove_prefix(std::min<size_t>(result.value_bytes, input.size()));
  }
  return 0;
}
