// server/utf8.h - whether bytes are text.
//
// Source   Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
// Threads  pure.
#pragma once

#include <string_view>

namespace larder::server {

[[nodiscard]] bool IsUtf8(std::string_view bytes);

}  // namespace larder::server
