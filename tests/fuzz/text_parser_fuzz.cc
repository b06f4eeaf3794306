// Any bytes at all, as lines of classic and meta commands: the parser stays inside them, and what
// it makes of a line does not depend on how the line arrives.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "protocol/text_parser.h"
#include "tests/fuzz/require.h"

namespace {

using larder::fuzz::IsWithin;
using larder::fuzz::Require;
using larder::protocol::MetaArguments;
using larder::protocol::ParseResult;
using larder::protocol::ParseStatus;
using larder::protocol::ParseTextRequest;
using larder::protocol::Request;

std::string_view KeyRoom(MetaArguments& meta) {
  return {meta.KeyRoom().data(), meta.KeyRoom().size()};
}

void RequireSameFlags(const MetaArguments& a, const MetaArguments& b) {
  Require(a.InOrder().size() == b.InOrder().size() && a.Opaque() == b.Opaque());
  for (size_t i = 0; i < a.InOrder().size(); ++i) Require(a.InOrder()[i] == b.InOrder()[i]);
#define META_FLAG(name, letter, shown) \
  Require(a.Has(larder::protocol::MetaFlag::name) == b.Has(larder::protocol::MetaFlag::name));
#define META_NUMBER(name, letter, member, type, initial, parse, complaint) \
  Require(a.member == b.member);
#include "protocol/meta_flags.def"
#undef META_FLAG
#undef META_NUMBER
  Require(a.mode == b.mode);
}

void RequireSame(const ParseResult& a, const ParseResult& b) {
  Require(a.status == b.status && a.consumed_bytes == b.consumed_bytes);
  Require(a.error == b.error && a.swallow_bytes == b.swallow_bytes);
  if (a.status != ParseStatus::kRequest) return;
  const Request& one = a.request;
  const Request& other = b.request;
  Require(one.command == other.command && one.fault == other.fault);
  Require(one.key == other.key && one.more_keys == other.more_keys);
  Require(one.number == other.number && one.initial == other.initial);
  Require(one.exptime == other.exptime && one.noreply == other.noreply);
  Require(one.client_flags == other.client_flags && one.value_bytes == other.value_bytes);
  Require((one.meta == nullptr) == (other.meta == nullptr));
  if (one.meta != nullptr) RequireSameFlags(*one.meta, *other.meta);
}

// The line's bytes arrive one at a time: no prefix may be understood as something else. Each is a
// copy of just those bytes, so that sanitizers see who looks at the next one.
void RequireSameAtEverySplit(std::string_view line, const ParseResult& whole) {
  size_t scanned_bytes = 0;
  for (size_t bytes = 1; bytes <= line.size(); ++bytes) {
    const std::vector<char> arrived(line.begin(), line.begin() + static_cast<ptrdiff_t>(bytes));
    MetaArguments meta;
    const ParseResult part =
        ParseTextRequest({arrived.data(), arrived.size()}, meta, scanned_bytes);
    if (part.status != ParseStatus::kNeedMore) {
      RequireSame(part, whole);
      return;
    }
    scanned_bytes = bytes;
  }
  Require(false);
}

void RequireSound(const ParseResult& result, std::string_view input, MetaArguments& meta) {
  Require(result.consumed_bytes <= input.size());
  Require((result.consumed_bytes == 0) == (result.status == ParseStatus::kNeedMore));
  const Request& request = result.request;
  Require(IsWithin(request.more_keys, input));
  Require(IsWithin(request.key, input) ||
          (request.meta == &meta && IsWithin(request.key, KeyRoom(meta))));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  while (!input.empty()) {
    MetaArguments meta;
    const ParseResult result = ParseTextRequest(input, meta);
    if (result.status == ParseStatus::kClose) break;
    RequireSound(result, input, meta);
    if (result.status == ParseStatus::kNeedMore) break;
    RequireSameAtEverySplit(input.substr(0, result.consumed_bytes), result);
    input.remove_prefix(result.consumed_bytes);
  }
  return 0;
}
