#include "tests/bench/replay_client.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/bench/item_text.h"

namespace larder::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kBatchRequests = 64;

class ReplayPlayer {
 public:
  ReplayPlayer(const Replay& replay, TextClient& client)
      : replay_(replay),
        client_(client),
        keys_(replay.keys.empty() ? ItemKeys() : ItemKeys(replay.keys)),
        outcome_{.misses = MissCount(replay)},
        missed_in_batch_(replay.item_count, kNoBatch) {}

  std::optional<ReplayOutcome> Play() {
    const Clock::time_point started = Clock::now();
    while (next_ < replay_.requests.size() || !again_.empty() || !missed_.empty()) {
      WaitUntilDue(started);
      ChooseBatch();
      if (!SendBatch() || !ReadStoreAnswers() || !ReadValues()) return std::nullopt;
      SortOutMisses();
    }
    outcome_.seconds = std::chrono::duration<double>(Clock::now() - started).count();
    const std::optional<uint64_t> current_items = CurrentItems(client_);
    if (!current_items) return std::nullopt;
    const std::optional<Holding> held = Survey(client_, keys_, StoredItems());
    if (!held) return std::nullopt;
    outcome_.current_items = *current_items;
    outcome_.held = *held;
    return outcome_;
  }

 private:
  // All that were stored at some time.
  [[nodiscard]] std::vector<uint32_t> StoredItems() const {
    std::vector<uint32_t> items;
    for (uint32_t item = 0; item < replay_.item_count; ++item) {
      if (missed_in_batch_[item] != kNoBatch) items.push_back(item);
    }
    return items;
  }

  static constexpr size_t kNoBatch = std::numeric_limits<size_t>::max();

  void WaitUntilDue(Clock::time_point started) const {
    if (replay_.requests_per_second == 0) return;
    const double seconds =
        static_cast<double>(next_) / static_cast<double>(replay_.requests_per_second);
    std::this_thread::sleep_until(started + std::chrono::duration_cast<Clock::duration>(
                                                std::chrono::duration<double>(seconds)));
  }

  void ChooseBatch() {
    batch_.swap(again_);
    again_.clear();
    while (batch_.size() < kBatchRequests && next_ < replay_.requests.size()) {
      batch_.push_back(next_++);
    }
    is_hit_.assign(batch_.size(), false);
    ++batch_number_;
  }

  [[nodiscard]] bool SendBatch() {
    out_.clear();
    for (const size_t at : missed_) {
      const ReplayRequest& request = replay_.requests[at];
      items_.AppendSet(out_, keys_.Of(request.item), request.value_bytes, request.ttl_s,
                       Answer::kWanted);
    }
    if (!batch_.empty()) {
      out_ += "get";
      for (const size_t at : batch_) {
        out_ += ' ';
        out_ += keys_.Of(replay_.requests[at].item);
      }
      out_ += "\r\n";
    }
    return client_.Send(out_);
  }

  [[nodiscard]] bool ReadStoreAnswers() {
    for (size_t i = 0; i < missed_.size(); ++i) {
      const std::optional<std::string_view> line = client_.ReadLine();
      if (!line) return false;
      if (line->starts_with("SERVER_ERROR")) {
        ++outcome_.refused_count;
      } else if (*line != "STORED") {
        return client_.Fail(fmt::format("unexpected answer to a set: '{}'", *line));
      }
    }
    missed_.clear();
    return true;
  }

  // A server answers the keys it has in the order they were asked for.
  [[nodiscard]] bool ReadValues() {
    for (size_t next = 0; !batch_.empty();) {
      const std::optional<std::string_view> line = client_.ReadLine();
      if (!line) return false;
      if (*line == "END") return true;
      constexpr std::string_view kStart = "VALUE ";
      const std::string_view rest = line->starts_with(kStart) ? line->substr(6) : "";
      const std::string_view key = rest.substr(0, rest.find(' '));
      while (next < batch_.size() && keys_.Of(replay_.requests[batch_[next]].item) != key) ++next;
      if (next == batch_.size()) {
        return client_.Fail(fmt::format("unexpected answer to a get: '{}'", *line));
      }
      if (!ReadValue(rest.substr(key.size()), replay_.requests[batch_[next]].item)) return false;
      is_hit_[next++] = true;
    }
    return true;
  }

  // The value that `size_text`, " 0 <bytes>", announces.
  [[nodiscard]] bool ReadValue(std::string_view size_text, uint32_t item) {
    constexpr std::string_view kFlags = " 0 ";
    uint32_t value_bytes = 0;
    const char* const end = size_text.data() + size_text.size();
    if (!size_text.starts_with(kFlags) ||
        std::from_chars(size_text.data() + kFlags.size(), end, value_bytes).ptr != end ||
        value_bytes > ValueSizes::kBytesMax) {
      return client_.Fail(fmt::format("unexpected end of a VALUE line: '{}'", size_text));
    }
    const std::optional<std::string_view> value = client_.ReadBody(value_bytes);
    if (!value) return false;
    return items_.IsValueOf(keys_.Of(item), *value) ||
           client_.Fail(fmt::format("not the value of {}", keys_.Of(item)));
  }

  void SortOutMisses() {
    for (size_t i = 0; i < batch_.size(); ++i) {
      if (is_hit_[i]) continue;
      size_t& missed_in = missed_in_batch_[replay_.requests[batch_[i]].item];
      if (missed_in == batch_number_) {
        again_.push_back(batch_[i]);
        continue;
      }
      missed_in = batch_number_;
      outcome_.misses.Add(batch_[i]);
      missed_.push_back(batch_[i]);
    }
    batch_.clear();
  }

  const Replay& replay_;
  TextClient& client_;
  ItemKeys keys_;
  const ItemText items_;
  ReplayOutcome outcome_;

  size_t next_ = 0;             // request to send next
  std::vector<size_t> batch_;   // requests under way
  std::vector<bool> is_hit_;    // of those, in their order
  std::vector<size_t> missed_;  // to be stored with the next batch
  std::vector<size_t> again_;   // to be asked for again with the next batch
  size_t batch_number_ = 0;
  std::vector<size_t>
      missed_in_batch_;  // of each item, the number of the last batch that missed it
  std::string out_;
};

}  // namespace

std::optional<ReplayOutcome> PlayReplay(const Replay& replay, TextClient& client) {
  return ReplayPlayer(replay, client).Play();
}

}  // namespace larder::bench
