#include "server/os/log.h"

#include <unistd.h>

#include <string>

namespace larder::server {

void Log::Write(uint32_t level, std::string_view line) {
  if (!Wants(level)) return;
  std::string text(line);
  text += '\n';
  // A log that blocks or fails must not stop the server, and there is nobody to tell.
  [[maybe_unused]] const ssize_t written = ::write(fd_, text.data(), text.size());
}

}  // namespace larder::server
