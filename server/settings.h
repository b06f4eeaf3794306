// server/settings.h - what an operator may choose: one field for each option of settings.def and
// extended_settings.def.
//
// Owner    a plain value; set once when the process starts, then only read.
// Units    as the names say.
// Errors   Check() returns the failure that the values together are, if any.
// Not here reading the command line: cli.h; settings that commands change: live_settings.h; how
//          settings are shown to clients: settings_report.h
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/option_kinds.h"

namespace larder::server {

// What memcached's exit codes are, for those who look at them.
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 64;
inline constexpr int kExitNoUser = 67;
inline constexpr int kExitSystem = 71;

// A reason not to run: a line for stderr, or a few, and the exit code.
struct StartFailure {
  int exit_code = kExitFailure;
  std::string message;
};

// The chunk sizes of -o slab_sizes, or what is wrong with them.
struct ChunkSizes {
  std::vector<uint32_t> bytes;
  std::string error;
};

struct Settings {
#define OPTION(letter, long_name, argument, kind, type, field, initial, ...) type field = initial;
#define CONTROL(long_name, argument, kind, type, field, initial, ...) type field = initial;
#include "server/settings.def"
#define SUBOPTION(name, argument, kind, type, field, initial, ...) type field = initial;
#include "server/extended_settings.def"
  bool lru_maintainer = true;
  bool lru_segmented = true;

  [[nodiscard]] int64_t MemoryLimitBytes() const { return int64_t{memory_limit_mib} * 1024 * 1024; }
  // 0: none. So does memcached take a negative one.
  [[nodiscard]] uint32_t IdleTimeoutSeconds() const {
    return static_cast<uint32_t>(std::max(idle_timeout_s, 0));
  }
  [[nodiscard]] bool Rebalances() const { return slab_reassign && slab_automove != 0; }
  // Ascending multiples of eight; none when -o slab_sizes is not given.
  [[nodiscard]] ChunkSizes ParseSlabSizes() const;
  [[nodiscard]] std::optional<StartFailure> Check() const;

  // The presets of extended_settings.def.
  void ChangeNothing() {}
  void UseWholePageChunks();
  void UseMaintainer() { lru_maintainer = lru_segmented = true; }
  void UseNoMaintainer() { lru_maintainer = lru_segmented = false; }
  void UseOldDefaults();
};

}  // namespace larder::server
