// Any bytes at all: the parser stays inside them, and what it makes of a line does not depend on
// how the line arrives.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/text_parser.h"

namespace {

using larder::protocol::ParseResult;
using larder::protocol::ParseStatus;
using larder::protocol::ParseTextRequest;

void Require(bool condition) {
  if (!condition) std::abort();
}

bool IsWithin(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void RequireSame(const ParseResult& a, const ParseResult& b) {
  Require(a.status == b.status && a.consumed_bytes == b.consumed_bytes);
  Require(a.error == b.error && a.swallow_bytes == b.swallow_bytes);
  if (a.status != ParseStatus::kRequest) return;
  Require(a.request.command == b.request.command && a.request.number == b.request.number);
  Require(a.request.key == b.request.key);
  Require(a.request.more_keys == b.request.more_keys);
  Require(a.request.exptime == b.request.exptime && a.request.noreply == b.request.noreply);
  Require(a.request.client_flags == b.request.client_flags);
  Require(a.request.value_bytes == b.request.value_bytes);
}

// The line's bytes arrive one at a time: no prefix may be understood as something else.
void RequireSameAtEverySplit(std::string_view line, const ParseResult& whole) {
  size_t scanned_bytes = 0;
  for (size_t bytes = 0; bytes < line.size(); ++bytes) {
    const ParseResult part = ParseTextRequest(line.substr(0, bytes), scanned_bytes);
    if (part.status != ParseStatus::kNeedMore) {
      RequireSame(part, whole);
      return;
    }
    scanned_bytes = bytes;
  }
  RequireSame(ParseTextRequest(line, scanned_bytes), whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  while (!input.empty()) {
    const ParseResult result = ParseTextRequest(input);
    Require(result.consumed_bytes <= input.size());
    if (result.status == ParseStatus::kNeedMore) Require(result.consumed_bytes == 0);
    if (result.status != ParseStatus::kRequest && result.status != ParseStatus::kError) break;
    Require(result.consumed_bytes > 0);
    Require(IsWithin(result.request.key, input) && IsWithin(result.request.more_keys, input));
    RequireSameAtEverySplit(input.substr(0, result.consumed_bytes), result);
    input.remove_prefix(result.consumed_bytes);
  }
  return 0;
}
