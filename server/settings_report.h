// server/settings_report.h - the settings as `stats settings` shows them.
//
// Threads  pure functions of what they are given; of settings that change while one is composed,
//          each is shown as it was at some moment.
// Not here the protocol around them: server/commands/stats.h
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "server/live_settings.h"
#include "server/settings.h"

namespace larder::server {

// What a running server knows beside its settings.
struct ReportedState {
  uint32_t verbosity = 0;
  uint64_t limit_bytes = 0;
  uint32_t flushed_before_s = 0;  // second of the last flush on the cache's clock, 0 none
  bool can_drop_privileges = false;
};

// Where the server listens when nothing else is asked for.
inline constexpr std::string_view kDefaultListenList = "127.0.0.1,::1";

// Calls `emit` for each key, in memcached's order.
void ReportSettings(const Settings& settings, const LiveSettings& live, const ReportedState& state,
                    const std::function<void(std::string_view key, std::string_view value)>& emit);

}  // namespace larder::server
