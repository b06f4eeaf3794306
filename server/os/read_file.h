// server/os/read_file.h - a whole small file as text.
//
// Threads  any.
// Errors   nothing, and a sentence for the operator.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace larder::server {

// A file of options is not larger than this.
inline constexpr size_t kConfigFileBytesMax = 1024 * 1024;

[[nodiscard]] std::optional<std::string> ReadSmallFile(const std::string& path, std::string* error);

}  // namespace larder::server
