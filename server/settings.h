// server/settings.h - what an operator may choose: one field for each option of settings.def.
//
// Owner    a plain value; set once from the command line, then only read.
// Units    as the names say.
// Errors   Check() returns the failure that the values together are, if any.
// Not here reading the command line: cli.h; how settings are shown to clients: settings_report.h
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace larder::server {

// What memcached's exit codes are, for those who look at them.
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 64;
inline constexpr int kExitNoUser = 67;
inline constexpr int kExitSystem = 71;

// A reason not to run: one line for stderr, and the exit code.
struct StartFailure {
  int exit_code = kExitFailure;
  std::string message;
};

struct Settings {
#define OPTION(letter, long_name, argument, kind, type, field, initial, complaint, help) \
  type field = initial;
#define ACTION(letter, long_name, action, help)
#include "server/settings.def"
#undef OPTION
#undef ACTION

  [[nodiscard]] int64_t MemoryLimitBytes() const { return int64_t{memory_limit_mib} * 1024 * 1024; }
  [[nodiscard]] std::optional<StartFailure> Check() const;
};

}  // namespace larder::server
