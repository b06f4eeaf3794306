#include "server/os/read_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "server/os/unique_fd.h"

namespace larder::server {

std::optional<std::string> ReadSmallFile(const std::string& path, std::string* error) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char block[4096];
  for (;;) {
    const ssize_t count = file ? ::read(file.Get(), block, sizeof(block)) : -1;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      *error = fmt::format("cannot be read: {}", std::strerror(errno));
      return std::nullopt;
    }
    if (count == 0) return text;
    text.append(block, static_cast<size_t>(count));
    if (text.size() > kConfigFileBytesMax) {
      *error = fmt::format("is larger than {} bytes", kConfigFileBytesMax);
      return std::nullopt;
    }
  }
}

}  // namespace larder::server
