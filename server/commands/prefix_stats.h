// server/commands/prefix_stats.h - `stats detail`: how often keys of each prefix were read, stored
// and deleted. A key's prefix is what stands before the first delimiter (-D); a key without one is
// not counted.
//
// Each worker counts in a table of its own, so that workers do not wait for each other. Whoever
// shows the counts takes a stretch of each table, in the order of the prefixes, adds up what has
// the same prefix, and goes on behind the last one shown: that holds a worker up for
// kPrefixesPerLook entries at most, and needs no memory that grows with the prefixes.
//
// A table is a tree: clients choose the prefixes, and whatever they choose, a count costs no more
// than 17 comparisons. Of a hash they could make long lists.
//
// Cost     one branch for each key while off (Live().detail_enabled).
// Bounds   kPrefixesMax prefixes in each worker's table; keys of further ones are not counted.
// Owner    PrefixStats owns the tables; it outlives the workers' contexts.
// Threads  a PrefixTable's counting functions on its worker's thread. The rest from any.
// Not here meta commands, incr, decr, touch: memcached does not count them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "server/commands/feed.h"
#include "server/live_settings.h"

namespace larder::server {

struct PrefixCounts {
  uint64_t gets = 0;
  uint64_t hits = 0;
  uint64_t sets = 0;
  uint64_t deletes = 0;
};

// In the order of their bytes.
using CountsByPrefix = std::map<std::string, PrefixCounts, std::less<>>;
// The prefix behind which to go on; none before the first.
using PrefixCursor = std::optional<std::string>;

class PrefixTable {
 public:
  static constexpr size_t kPrefixesMax = size_t{1} << 16;
  static constexpr size_t kPrefixesPerLook = 256;

  PrefixTable(const Live<bool>& is_on, char delimiter) : is_on_(is_on), delimiter_(delimiter) {}
  PrefixTable(const PrefixTable&) = delete;
  PrefixTable& operator=(const PrefixTable&) = delete;

  void CountGet(std::string_view key, bool is_hit) {
    if (is_on_.Get()) Count(key, {.gets = 1, .hits = is_hit ? uint64_t{1} : 0});
  }
  void CountSet(std::string_view key) {
    if (is_on_.Get()) Count(key, {.sets = 1});
  }
  void CountDelete(std::string_view key) {
    if (is_on_.Get()) Count(key, {.deletes = 1});
  }

  // Adds the first kPrefixesPerLook prefixes behind the cursor to `sum`.
  void AddStretch(const PrefixCursor& cursor, CountsByPrefix& sum);
  void Clear();

 private:
  // Held for a count, a look at one stretch, or to take all of it away. Who finds it held sleeps.
  class Guard;

  void Count(std::string_view key, const PrefixCounts& counts);

  const Live<bool>& is_on_;
  const char delimiter_;
  std::atomic_flag is_locked_;
  CountsByPrefix counts_;  // guarded by is_locked_
};

class PrefixStats {
 public:
  PrefixStats(const Live<bool>& is_on, char delimiter) : is_on_(is_on), delimiter_(delimiter) {}

  // A table for one more worker. REQUIRES: no worker runs yet.
  [[nodiscard]] PrefixTable& AddWorkerTable() { return tables_.emplace_back(is_on_, delimiter_); }

  // Forgets all prefixes.
  void Reset();
  // Appends the lines of up to kPrefixesPerLook prefixes and moves the cursor behind them. False:
  // these were the last.
  [[nodiscard]] bool AppendStretch(PrefixCursor& cursor, std::string& text);
  // All of them, and the line at the end. For the binary protocol, which has one packet for it.
  [[nodiscard]] std::string Dump();

 private:
  const Live<bool>& is_on_;
  const char delimiter_;
  std::deque<PrefixTable> tables_;  // a deque: references to its elements stay good
};

// The same lines for the text protocol, a stretch in a turn.
class PrefixFeed final : public Feed {
 public:
  explicit PrefixFeed(PrefixStats& prefixes) : prefixes_(prefixes) {}
  [[nodiscard]] State Drain(protocol::ReplySink& replies) override;

 private:
  PrefixStats& prefixes_;
  PrefixCursor cursor_;
};

}  // namespace larder::server
