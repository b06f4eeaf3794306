#include "tests/bench/server_cpu.h"

#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <ctime>
#include <thread>

namespace larder::bench {
namespace {

// Keeps a thread busy until its own CPU clock says so.
void Burn(std::chrono::nanoseconds cpu_time) {
  timespec used{};
  do {
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  } while (std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec) < cpu_time);
}

TEST_CASE("The CPU time of a process counts all of its threads") {
  constexpr auto kCpuTime = std::chrono::milliseconds(100);
  std::atomic<bool> measured = false;
  const auto pid = static_cast<uint64_t>(getpid());
  const std::optional<uint64_t> before_ns = ProcessCpuNs(pid);
  std::atomic<bool> burned = false;
  std::thread other([&] {
    Burn(kCpuTime);
    burned = true;
    burned.notify_one();
    measured.wait(false);  // an ended thread would no longer be counted
  });
  burned.wait(false);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const std::optional<uint64_t> after_ns = ProcessCpuNs(pid);
  measured = true;
  measured.notify_one();
  other.join();
  REQUIRE(before_ns);
  REQUIRE(after_ns);
  CHECK(std::chrono::nanoseconds(*after_ns - *before_ns) >= kCpuTime);
}

TEST_CASE("A process that does not exist has no CPU time") {
  CHECK_FALSE(ProcessCpuNs(uint64_t{1} << 30));
}

}  // namespace
}  // namespace larder::bench
