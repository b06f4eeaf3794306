#include "tests/bench/replay_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <unordered_map>

#include "tests/bench/key_text.h"
#include "tests/bench/value_sizes.h"

namespace larder::bench {
namespace {

constexpr size_t kKeyBytesMax = 250;

// Takes the text up to the next comma off `rest`.
std::string_view TakeField(std::string_view& rest) {
  const size_t comma = rest.find(',');
  const std::string_view field = rest.substr(0, comma);
  rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  return field;
}

// Nullopt when `text` is anything but a number; more than 32 bits of it are cut.
std::optional<uint32_t> ParseCount(std::string_view text) {
  uint64_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return static_cast<uint32_t>(std::min<uint64_t>(number, UINT32_MAX));
}

bool IsSendable(std::string_view key) {
  return !key.empty() && key.size() <= kKeyBytesMax &&
         std::none_of(key.begin(), key.end(),
                      [](char c) { return c >= 0 && (c <= ' ' || c == 127); });
}

// Numbers the keys as they come.
class KeyNumbers {
 public:
  uint32_t Of(std::string_view key, Replay& replay) {
    const auto [place, is_new] = numbers_.try_emplace(std::string(key), replay.item_count);
    if (is_new) {
      replay.keys.emplace_back(IsSendable(key) ? key : made_.Of(replay.item_count));
      ++replay.item_count;
    }
    return place->second;
  }

 private:
  std::unordered_map<std::string, uint32_t> numbers_;
  KeyText made_;
};

// Nullopt when the line is none of a trace.
std::optional<ReplayRequest> ParseLine(std::string_view line, KeyNumbers& numbers, Replay& replay) {
  const std::string_view key = TakeField(line);
  const std::optional<uint32_t> value_bytes = ParseCount(TakeField(line));
  const std::string_view ttl = TakeField(line);
  const std::optional<uint32_t> ttl_s = ttl.empty() ? 0 : ParseCount(ttl);
  if (key.empty() || !value_bytes || !ttl_s || !line.empty()) return std::nullopt;
  return ReplayRequest{.item = numbers.Of(key, replay),
                       .value_bytes = std::min(*value_bytes, ValueSizes::kBytesMax),
                       .ttl_s = *ttl_s};
}

}  // namespace

std::optional<Replay> ReadTrace(std::istream& lines, uint64_t request_count_max,
                                std::string* error) {
  Replay replay;
  KeyNumbers numbers;
  std::string line;
  for (uint64_t number = 1; std::getline(lines, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    const std::optional<ReplayRequest> request = ParseLine(line, numbers, replay);
    if (!request) {
      if (number == 1) continue;
      *error = fmt::format("line {}: not 'key,value bytes[,seconds to live]': '{}'", number, line);
      return std::nullopt;
    }
    replay.requests.push_back(*request);
    if (request->ttl_s > 0) replay.requests_per_second = kTraceRequestsPerSecond;
    if (replay.requests.size() == request_count_max) break;
  }
  if (replay.requests.empty()) {
    *error = "no requests in the trace";
    return std::nullopt;
  }
  replay.counted_from = replay.requests.size() / 3;
  return replay;
}

}  // namespace larder::bench
