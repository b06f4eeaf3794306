#include "server/commands/prefix_stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
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

PrefixTable::Entry* Find(std::vector<PrefixTable::Entry>& entries, std::string_view prefix) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [prefix](const auto& entry) { return entry.prefix == prefix; });
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace

void PrefixTable::Count(std::string_view key, const PrefixCounts& counts) {
  const size_t prefix_bytes = key.find(delimiter_);
  if (prefix_bytes == std::string_view::npos) return;
  const std::string_view prefix = key.substr(0, prefix_bytes);
  const size_t bucket = std::hash<std::string_view>()(prefix) % kBuckets;

  const Guard guard(is_locked_);
  if (buckets_ == nullptr) buckets_ = std::make_unique<Buckets>();
  std::vector<Entry>& entries = (*buckets_)[bucket];
  if (Entry* const entry = Find(entries, prefix)) return AddTo(entry->counts, counts);
  if (prefix_count_ == kPrefixesMax) return;
  ++prefix_count_;
  entries.push_back({std::string(prefix), counts});
}

void PrefixTable::AddBucket(size_t bucket, std::vector<Entry>& sum) {
  const Guard guard(is_locked_);
  if (buckets_ == nullptr) return;
  for (const Entry& entry : (*buckets_)[bucket]) {
    if (Entry* const known = Find(sum, entry.prefix)) {
      AddTo(known->counts, entry.counts);
    } else {
      sum.push_back(entry);
    }
  }
}

void PrefixTable::Clear() {
  std::unique_ptr<Buckets> forgotten;  // outlives the guard: freeing them may take a while
  const Guard guard(is_locked_);
  forgotten = std::move(buckets_);
  prefix_count_ = 0;
}

void PrefixStats::Reset() {
  for (PrefixTable& table : tables_) table.Clear();
}

void PrefixStats::AppendBucket(size_t bucket, std::string& text) {
  std::vector<PrefixTable::Entry> sum;
  for (PrefixTable& table : tables_) table.AddBucket(bucket, sum);
  for (const auto& [prefix, counts] : sum) {
    fmt::format_to(std::back_inserter(text), "PREFIX {} get {} hit {} set {} del {}\r\n", prefix,
                   counts.gets, counts.hits, counts.sets, counts.deletes);
  }
}

std::string PrefixStats::Dump() {
  std::string text;
  for (size_t bucket = 0; bucket < PrefixTable::kBuckets; ++bucket) AppendBucket(bucket, text);
  text += StatusLine(protocol::Status::kEnd);
  return text;
}

Feed::State PrefixFeed::Drain(protocol::ReplySink& replies) {
  constexpr size_t kBucketsPerTurn = 512;
  std::string text;
  const size_t end = std::min(next_bucket_ + kBucketsPerTurn, PrefixTable::kBuckets);
  while (next_bucket_ < end) prefixes_.AppendBucket(next_bucket_++, text);
  replies.Append(text);
  if (next_bucket_ < PrefixTable::kBuckets) return State::kMore;
  WriteStatus(protocol::Status::kEnd, replies);
  return State::kDone;
}

}  // namespace larder::server
