#include "tests/bench/server_cpu.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace larder::bench {

std::optional<uint64_t> ProcessCpuNs(uint64_t pid) {
  std::error_code error;
  const std::filesystem::directory_iterator tasks(fmt::format("/proc/{}/task", pid), error);
  if (error) return std::nullopt;
  uint64_t sum_ns = 0;
  for (const auto& task : tasks) {
    uint64_t run_ns = 0;
    if (!(std::ifstream(task.path() / "schedstat") >> run_ns)) return std::nullopt;
    sum_ns += run_ns;
  }
  return sum_ns;
}

}  // namespace larder::bench
