// server/commands/prefix_stats.h - `stats detail`: how often keys of each prefix were read, stored
// and deleted. A key's prefix is what stands before the first delimiter (-D); a key without one is
// not counted.
//
// Each worker counts in a table of its own, so that workers do not wait for each other. Whoever
// shows the counts takes the same bucket of each table, adds up what has the same prefix, and goes
// on to the next: that holds a worker up for a few entries, and needs no memory that grows with the
// prefixes.
//
// Cost     one branch for each key while off (Live().detail_enabled).
// Bounds   kPrefixesMax prefixes in each worker's table; keys of further ones are not counted.
// Owner    PrefixStats owns the tables; it outlives the workers' contexts.
// Threads  a PrefixTable's counting functions on its worker's thread. The rest from any.
// Not here meta commands, incr, decr, touch: memcached does not count them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands/feed.h"
#include "server/live_settings.h"

namespace larder::server {

struct PrefixCounts {
  uint64_t gets = 0;
  uint64_t hits = 0;
  uint64_t sets = 0;
  uint64_t deletes = 0;
};

class PrefixTable {
 public:
  static constexpr size_t kPrefixesMax = size_t{1} << 16;
  static constexpr size_t kBuckets = size_t{1} << 12;
  struct Entry {
    std::string prefix;
    PrefixCounts counts;
  };

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

  // Adds this table's part of a bucket to `sum`.
  void AddBucket(size_t bucket, std::vector<Entry>& sum);
  void Clear();

 private:
  using Buckets = std::array<std::vector<Entry>, kBuckets>;
  // Held for a look at one bucket, or to take all of them away. Who finds it held sleeps.
  class Guard;

  void Count(std::string_view key, const PrefixCounts& counts);

  const Live<bool>& is_on_;
  const char delimiter_;
  std::atomic_flag is_locked_;
  std::unique_ptr<Buckets> buckets_;  // guarded by is_locked_; null: nothing was counted
  size_t prefix_count_ = 0;           // guarded by is_locked_
};

class PrefixStats {
 public:
  PrefixStats(const Live<bool>& is_on, char delimiter) : is_on_(is_on), delimiter_(delimiter) {}

  // A table for one more worker. REQUIRES: no worker runs yet.
  [[nodiscard]] PrefixTable& AddWorkerTable() { return tables_.emplace_back(is_on_, delimiter_); }

  // Forgets all prefixes.
  void Reset();
  // Appends the lines of one bucket's prefixes.
  void AppendBucket(size_t bucket, std::string& text);
  // All of them, and the line at the end. For the binary protocol, which has one packet for it.
  [[nodiscard]] std::string Dump();

 private:
  const Live<bool>& is_on_;
  const char delimiter_;
  std::deque<PrefixTable> tables_;  // a deque: references to its elements stay good
};

// The same lines for the text protocol, a few buckets in a turn.
class PrefixFeed final : public Feed {
 public:
  explicit PrefixFeed(PrefixStats& prefixes) : prefixes_(prefixes) {}
  [[nodiscard]] State Drain(protocol::ReplySink& replies) override;

 private:
  PrefixStats& prefixes_;
  size_t next_bucket_ = 0;
};

}  // namespace larder::server
