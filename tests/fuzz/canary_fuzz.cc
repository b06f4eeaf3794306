// Must fail: aborts at a well-formed `touch` of a key that begins with 'k'.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/text_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using larder::protocol::ParseStatus;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  larder::protocol::MetaArguments meta;
  const auto result = larder::protocol::ParseTextRequest(input, meta);
  if (result.status == ParseStatus::kRequest &&
      result.request.command == larder::protocol::Command::kTouch &&
      result.request.key.substr(0, 1) == "k") {
    std::abort();
  }
  return 0;
}
