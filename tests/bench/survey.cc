#include "tests/bench/survey.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string>
#include <string_view>

namespace larder::bench {
namespace {

constexpr size_t kBatchItems = 1000;  // 12 KB of answers: they fit into any socket buffer

// The number that is all of `text`.
std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed_to, status] = std::from_chars(text.data(), end, number);
  return status == std::errc() && parsed_to == end ? std::optional(number) : std::nullopt;
}

// One answer: "EN", or "HD s<bytes>".
bool CountAnswer(TextClient& client, std::string_view key, Holding& held) {
  constexpr std::string_view kStart = "HD s";
  const std::optional<std::string_view> line = client.ReadLine();
  if (!line) return false;
  if (*line == "EN") return true;
  const std::optional<uint64_t> value_bytes =
      line->starts_with(kStart) ? ParseNumber(line->substr(kStart.size())) : std::nullopt;
  if (!value_bytes) return client.Fail(fmt::format("unexpected answer to mg: '{}'", *line));
  ++held.item_count;
  held.key_bytes += key.size();
  held.value_bytes += *value_bytes;
  return true;
}

}  // namespace

std::optional<Holding> Survey(TextClient& client, ItemKeys& keys, std::span<const uint32_t> items) {
  Holding held;
  std::string out;
  while (!items.empty()) {
    const std::span<const uint32_t> batch = items.first(std::min(kBatchItems, items.size()));
    out.clear();
    for (const uint32_t item : batch) {
      fmt::format_to(std::back_inserter(out), "mg {} s\r\n", keys.Of(item));
    }
    if (!client.Send(out)) return std::nullopt;
    for (const uint32_t item : batch) {
      if (!CountAnswer(client, keys.Of(item), held)) return std::nullopt;
    }
    items = items.subspan(batch.size());
  }
  return held;
}

std::optional<uint64_t> CurrentItems(TextClient& client) {
  constexpr std::string_view kStart = "STAT curr_items ";
  std::optional<uint64_t> item_count;
  if (!client.Send("stats\r\n")) return std::nullopt;
  while (true) {
    const std::optional<std::string_view> line = client.ReadLine();
    if (!line) return std::nullopt;
    if (*line == "END") break;
    if (line->starts_with(kStart)) item_count = ParseNumber(line->substr(kStart.size()));
  }
  if (!item_count) client.Fail("stats without a number of items");
  return item_count;
}

}  // namespace larder::bench
