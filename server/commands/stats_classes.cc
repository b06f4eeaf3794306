// `stats items` and `stats slabs`: the same table of keys for every slab class in use.

#include <algorithm>

#include <fmt/format.h>

#include "server/commands/stats.h"

namespace larder::server {
namespace {

constexpr uint64_t kNone = 0;

// Makes the one width of number that StatWriter takes.
constexpr uint64_t Number(uint64_t value) { return value; }

}  // namespace

void WriteItemStats(const slab::CacheStats& cache, protocol::ReplySink& replies) {
  for (const slab::ClassStats& each : cache.classes) {
    if (each.item_count == 0) continue;
    StatWriter writer(replies, fmt::format("items:{}:", each.class_id));
#define STAT(key, value) writer.Add(#key, value);
#include "server/commands/stats_items.def"
#undef STAT
  }
}

void WriteSlabStats(const slab::CacheStats& cache, protocol::ReplySink& replies) {
  uint64_t active_class_count = 0;
  for (const slab::ClassStats& each : cache.classes) {
    if (each.page_count == 0) continue;
    ++active_class_count;
    StatWriter writer(replies, fmt::format("{}:", each.class_id));
#define STAT(key, value) writer.Add(#key, value);
#include "server/commands/stats_slabs.def"
#undef STAT
  }
  StatWriter writer(replies);
  writer.Add("active_slabs", active_class_count);
  writer.Add("total_malloced", cache.page_bytes);
}

}  // namespace larder::server
