// server/version.h - Larder's own version. Clients are told memcached's instead, because they judge
// by it what they may send: protocol/wire_strings.h
#pragma once

#include <string_view>

namespace larder::server {

[[nodiscard]] std::string_view LarderVersion();

}  // namespace larder::server
