#include "server/commands/prefix_stats.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "protocol/text_encoder.h"

namespace larder::server {

class PrefixTable::Guard {
 public:
  explicit Guard(std::atomic_flag& flag) : flag_(flag) {
    while (flag_.test_and_set(std::memory_order_acquire)) flag_.wait(true);
  }
  ~Guard() {
    flag_.clear(std::memory_order_release);  // pairs with the acquire of the next
    flag_.notify_one();
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  std::atomic_flag& flag_;
};

namespace {

void AddTo(PrefixCounts& sum, const PrefixCounts& counts) {
  sum.gets += counts.gets;
  sum.hits += counts.hits;
  sum.sets += counts.sets;
  sum.deletes += counts.deletes;
}

}  // namespace

void PrefixTable::Count(std::string_view key, const PrefixCounts& counts) {
  const size_t prefix_bytes = key.find(delimiter_);
  if (prefix_bytes == std::string_view::npos) return;
  const std::string_view prefix = key.substr(0, prefix_bytes);

  const Guard guard(is_locked_);
  const auto place = counts_.lower_bound(prefix);
  if (place != counts_.end() && place->first == prefix) return AddTo(place->second, counts);
  if (counts_.size() < kPrefixesMax) counts_.emplace_hint(place, prefix, counts);
}

void PrefixTable::AddStretch(const PrefixCursor& cursor, CountsByPrefix& sum) {
  const Guard guard(is_locked_);
  auto place = cursor.has_value() ? counts_.upper_bound(*cursor) : counts_.begin();
  for (size_t i = 0; i < kPrefixesPerLook && place != counts_.end(); ++i, ++place) {
    AddTo(sum[place->first], place->second);
  }
}

void PrefixTable::Clear() {
  CountsByPrefix forgotten;  // outlives the guard: freeing them may take a while
  const Guard guard(is_locked_);
  forgotten.swap(counts_);
}

void PrefixStats::Reset() {
  for (PrefixTable& table : tables_) table.Clear();
}

// What is among the first kPrefixesPerLook of all tables together is among the first of each table
// that has it, so nothing is passed over. A stretch that is not full was the last of every table.
bool PrefixStats::AppendStretch(PrefixCursor& cursor, std::string& text) {
  CountsByPrefix sum;
  for (PrefixTable& table : tables_) table.AddStretch(cursor, sum);
  size_t shown = 0;
  for (auto& [prefix, counts] : sum) {
    fmt::format_to(std::back_inserter(text), "PREFIX {} get {} hit {} set {} del {}\r\n", prefix,
                   counts.gets, counts.hits, counts.sets, counts.deletes);
    if (++shown < PrefixTable::kPrefixesPerLook) continue;
    cursor = prefix;
    return true;
  }
  return false;
}

std::string PrefixStats::Dump() {
  std::string text;
  PrefixCursor cursor;
  while (AppendStretch(cursor, text)) {
  }
  text += StatusLine(protocol::Status::kEnd);
  return text;
}

Feed::State PrefixFeed::Drain(protocol::ReplySink& replies) {
  std::string text;
  const bool is_more = prefixes_.AppendStretch(cursor_, text);
  replies.Append(text);
  if (is_more) return State::kMore;
  WriteStatus(protocol::Status::kEnd, replies);
  return State::kDone;
}

}  // namespace larder::server
