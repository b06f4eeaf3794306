#include "tests/bench/load_options.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <string_view>

namespace larder::bench {
namespace {

// One row is one option: its name, where it goes, its bounds, its line of help.
struct NumberOption {
  std::string_view name;
  uint64_t LoadOptions::*field;
  uint64_t min;
  uint64_t max;
  std::string_view help;
};

constexpr std::array kNumberOptions = {
    NumberOption{"port", &LoadOptions::port, 1, 65535, "of the server, on 127.0.0.1"},
    NumberOption{"connections", &LoadOptions::connections, 1, 10'000, "open at the same time"},
    NumberOption{"pipeline", &LoadOptions::pipeline, 1, 1'000, "requests sent in one go"},
    NumberOption{"keys", &LoadOptions::keys, 1, 100'000'000, "stored first, then asked for"},
    NumberOption{"value-bytes", &LoadOptions::value_bytes, 0, 1 << 30, "of every value"},
    NumberOption{"keys-per-get", &LoadOptions::keys_per_get, 1, 10'000, "in one get"},
    NumberOption{"requests", &LoadOptions::requests, 1, uint64_t{1} << 40, "to measure"},
    NumberOption{"warmup", &LoadOptions::warmup, 0, uint64_t{1} << 40, "requests before those"},
    NumberOption{"seed", &LoadOptions::seed, 0, UINT64_MAX, "of the choice of keys"},
    NumberOption{"server-pid", &LoadOptions::server_pid, 0, 1 << 30, "report its CPU time"},
};

std::string ApplyNumber(LoadOptions& options, const NumberOption& row, std::string_view text) {
  uint64_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc() || end != text.data() + text.size() || number < row.min ||
      number > row.max) {
    return fmt::format("--{} takes a number from {} to {}, not '{}'", row.name, row.min, row.max,
                       text);
  }
  options.*row.field = number;
  return {};
}

// `argument` is "--name=value". Returns what is wrong with it, or nothing.
std::string ApplyArgument(LoadOptions& options, std::string_view argument) {
  const size_t equals = argument.find('=');
  if (!argument.starts_with("--") || equals == std::string_view::npos) {
    return fmt::format("'{}' is not of the form --name=value", argument);
  }
  const std::string_view name = argument.substr(2, equals - 2);
  const std::string_view value = argument.substr(equals + 1);
  if (name == "op") {
    if (value != "get" && value != "set") return fmt::format("--op=get|set, not '{}'", value);
    options.operation = value == "get" ? Operation::kGet : Operation::kSet;
    return {};
  }
  for (const NumberOption& row : kNumberOptions) {
    if (row.name == name) return ApplyNumber(options, row, value);
  }
  return fmt::format("unknown option --{}", name);
}

}  // namespace

std::optional<LoadOptions> ParseLoadOptions(int argc, char* const* argv, std::string* error) {
  LoadOptions options;
  for (int i = 1; i < argc; ++i) {
    *error = ApplyArgument(options, argv[i]);
    if (!error->empty()) return std::nullopt;
  }
  if (options.operation == Operation::kSet && options.keys_per_get != 1) {
    *error = "--keys-per-get goes with --op=get only";
    return std::nullopt;
  }
  return options;
}

std::string LoadUsage() {
  const LoadOptions defaults;
  std::string usage = "loadgen --name=value ...\n  --op            get or set (get)\n";
  for (const NumberOption& row : kNumberOptions) {
    usage += fmt::format("  --{:<13} {} ({})\n", row.name, row.help, defaults.*row.field);
  }
  return usage;
}

}  // namespace larder::bench
