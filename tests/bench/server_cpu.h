// tests/bench/server_cpu.h - how much CPU time a process has used, as the kernel accounts it.
//
// Units    nanoseconds. The figure comes from the scheduler's own clock, which charges every switch
//          between tasks exactly (utime + stime of /proc/PID/stat are the same sum, rounded to
//          clock ticks), user and kernel time together, over all threads that are alive.
// Errors   nullopt when there is no such process, or the kernel keeps no such account
//          (CONFIG_SCHED_INFO).
#pragma once

#include <cstdint>
#include <optional>

namespace larder::bench {

[[nodiscard]] std::optional<uint64_t> ProcessCpuNs(uint64_t pid);

}  // namespace larder::bench
