// fill - stores items 0, 1, 2 .. in one memcached text server until keys and values together make
// --total-bytes, then asks which of them are still there, and prints one line of key=value.
//
//     fill --port=11211 --values=lognormal:230:1.3 --total-bytes=348966092
//
// Every server is given the same items in the same order. The sets are `noreply` ones, since what
// counts is what is held in the end. How to run whole comparisons: scripts/bench.sh capacity.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "tests/bench/item_keys.h"
#include "tests/bench/item_text.h"
#include "tests/bench/number_options.h"
#include "tests/bench/survey.h"
#include "tests/bench/text_client.h"
#include "tests/bench/value_sizes.h"

namespace larder::bench {
namespace {

constexpr size_t kSendBytes = 256 * 1024;

struct FillOptions {
  std::string values = "fixed:100";
  uint64_t port = 11211;
  uint64_t total_bytes = 64 << 20;
};

constexpr std::array kNumbers = {
    NumberOption<FillOptions>{"port", &FillOptions::port, 1, 65535, "of the server, on 127.0.0.1"},
    NumberOption<FillOptions>{"total-bytes", &FillOptions::total_bytes, 1, uint64_t{1} << 40,
                              "of the keys and values to store"},
};
constexpr std::array kTexts = {
    TextOption<FillOptions>{"values", &FillOptions::values,
                            "sizes: fixed:N, lognormal:MEDIAN:SIGMA or between:LOW:HIGH"},
};

// Waits until everything sent so far has been worked off.
bool Barrier(TextClient& client) {
  if (!client.Send("version\r\n")) return false;
  const std::optional<std::string_view> line = client.ReadLine();
  if (!line) return false;
  return line->starts_with("VERSION ") || client.Fail(fmt::format("unexpected line '{}'", *line));
}

std::optional<Holding> Store(TextClient& client, ItemKeys& keys, const ValueSizes& sizes,
                             uint64_t total_bytes) {
  const ItemText items;
  Holding stored;
  std::string out;
  while (stored.key_bytes + stored.value_bytes < total_bytes) {
    const std::string_view key = keys.Of(stored.item_count);
    const uint32_t value_bytes = sizes.Of(stored.item_count);
    items.AppendSet(out, key, value_bytes, 0, Answer::kNoreply);
    ++stored.item_count;
    stored.key_bytes += key.size();
    stored.value_bytes += value_bytes;
    if (out.size() >= kSendBytes) {
      if (!client.Send(out)) return std::nullopt;
      out.clear();
    }
  }
  if (!client.Send(out)) return std::nullopt;
  return Barrier(client) ? std::optional(stored) : std::nullopt;
}

int Fail(const std::string& complaint) {
  fmt::print(stderr, "fill: {}\n", complaint);
  return 1;
}

int Main(int argc, char** argv) {
  FillOptions options;
  std::string error;
  for (int i = 1; i < argc && error.empty(); ++i) {
    error = ApplyArgument<FillOptions>(options, argv[i], kNumbers, kTexts);
  }
  std::optional<ValueSizes> sizes;
  if (error.empty()) sizes = ValueSizes::Parse(options.values, &error);
  if (!sizes) {
    return Fail(error + "\nfill --name=value ...\n" + OptionsHelp<FillOptions>(kNumbers, kTexts));
  }
  TextClient client;
  if (!client.Connect(static_cast<uint16_t>(options.port))) return Fail(client.Complaint());
  ItemKeys keys;
  const std::optional<Holding> stored = Store(client, keys, *sizes, options.total_bytes);
  if (!stored) return Fail(client.Complaint());
  std::vector<uint32_t> items(stored->item_count);
  std::iota(items.begin(), items.end(), 0u);
  const std::optional<Holding> held = Survey(client, keys, items);
  if (!held) return Fail(client.Complaint());
  fmt::print("stored_items={} stored_value_bytes={} held_items={} held_value_bytes={}\n",
             stored->item_count, stored->value_bytes, held->item_count, held->value_bytes);
  return 0;
}

}  // namespace
}  // namespace larder::bench

int main(int argc, char** argv) { return larder::bench::Main(argc, argv); }
