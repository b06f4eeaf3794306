// `stats items` and `stats slabs`: the same table of keys for every slab class in use.

#include <algorithm>

#include <fmt/format.h>

#include "server/commands/stats.h"
#include "server/live_settings.h"

namespace larder::server {
namespace {

constexpr uint64_t kNone = 0;

// Makes the one width of number that StatWriter takes.
constexpr uint64_t Number(uint64_t value) { return value; }

}  // namespace

void WriteItemStats(const CommandEnvironment& environment, StatSink& sink) {
  const slab::CacheStats cache = environment.Cache().Stats();
  const bool has_lists = environment.Options().lru_maintainer;
  const bool has_temporary = has_lists && environment.Server().Live().temp_lru.Get();
  for (const slab::ClassStats& each : cache.classes) {
    if (each.item_count == 0) continue;
    StatWriter writer(sink, fmt::format("items:{}:", each.class_id));
#define STAT(key, value) writer.Add(#key, value);
#define STAT_IF(condition, key, value) \
  if (condition) writer.Add(#key, value);
#include "server/commands/stats_items.def"
#undef STAT
#undef STAT_IF
  }
}

void WriteSlabStats(const CommandEnvironment& environment, StatSink& sink) {
  const slab::CacheStats cache = environment.Cache().Stats();
  uint64_t active_class_count = 0;
  for (const slab::ClassStats& each : cache.classes) {
    if (each.page_count == 0) continue;
    ++active_class_count;
    StatWriter writer(sink, fmt::format("{}:", each.class_id));
#define STAT(key, value) writer.Add(#key, value);
#include "server/commands/stats_slabs.def"
#undef STAT
  }
  StatWriter writer(sink);
  writer.Add("active_slabs", active_class_count);
  writer.Add("total_malloced", cache.page_bytes + cache.extent_bytes + cache.extent_idle_bytes);
}

}  // namespace larder::server
