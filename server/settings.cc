#include "server/settings.h"

#include <fmt/format.h>

namespace larder::server {
namespace {

constexpr int64_t kItemBytesMin = 1024;
constexpr int64_t kGiB = int64_t{1024} * 1024 * 1024;
constexpr int64_t kPageBytes = int64_t{1024} * 1024;
constexpr int32_t kPortMax = 65535;
constexpr int32_t kWorkersMax = 1024;

}  // namespace

// The order is memcached's, so that of several mistakes the same one is named.
std::optional<StartFailure> Settings::Check() const {
  const auto refuse = [](std::string message) {
    return StartFailure{kExitUsage, std::move(message)};
  };
  if (item_bytes_max < kItemBytesMin)
    return refuse("Item max size cannot be less than 1024 bytes.");
  if (item_bytes_max > MemoryLimitBytes() / 2) {
    return refuse("Cannot set item size limit higher than 1/2 of memory max.");
  }
  if (item_bytes_max > kGiB) return refuse("Cannot set item size limit higher than a gigabyte.");
  if (item_bytes_max > kPageBytes) {
    return refuse("Cannot set item size limit higher than one page (1m) in this version.");
  }
  if (tcp_port > kPortMax || tcp_port < -1) {
    return refuse(fmt::format("ERROR: Invalid port number {}.", tcp_port));
  }
  if (worker_count > kWorkersMax) {
    return refuse(fmt::format("Number of threads must not be greater than {}", kWorkersMax));
  }
  return std::nullopt;
}

}  // namespace larder::server
