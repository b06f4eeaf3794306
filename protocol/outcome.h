// protocol/outcome.h - what became of a request, for the encoder of its dialect.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "protocol/wire_strings.h"

namespace larder::protocol {

struct Outcome {
  Status status = Status::kNone;
  uint64_t number = 0;       // with Status::kNumber
  uint64_t cas = 0;          // of the item that was stored or changed
  uint32_t value_bytes = 0;  // of the item that was stored
};
static_assert(std::is_trivially_copyable_v<Outcome>);

// A found item. Lends: key and value are good while whoever found them says so.
struct FoundValue {
  std::string_view key;
  std::string_view value;
  uint64_t cas = 0;
  uint32_t client_flags = 0;
};
static_assert(std::is_trivially_copyable_v<FoundValue>);

}  // namespace larder::protocol
