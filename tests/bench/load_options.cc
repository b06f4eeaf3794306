#include "tests/bench/load_options.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "tests/bench/number_options.h"

namespace larder::bench {
namespace {

using Number = NumberOption<LoadOptions>;

constexpr std::array kNumbers = {
    Number{"port", &LoadOptions::port, 1, 65535, "of the server, on 127.0.0.1"},
    Number{"connections", &LoadOptions::connections, 1, 10'000, "open at the same time"},
    Number{"pipeline", &LoadOptions::pipeline, 1, 1'000, "requests sent in one go"},
    Number{"keys", &LoadOptions::keys, 1, 100'000'000, "stored first, then asked for"},
    Number{"value-bytes", &LoadOptions::value_bytes, 0, 1 << 30, "of every value"},
    Number{"keys-per-get", &LoadOptions::keys_per_get, 1, 10'000, "in one get"},
    Number{"requests", &LoadOptions::requests, 1, uint64_t{1} << 40, "to measure"},
    Number{"warmup", &LoadOptions::warmup, 0, uint64_t{1} << 40, "requests before those"},
    Number{"rate", &LoadOptions::rate, 0, 100'000'000, "requests a second; 0: all that go"},
    Number{"seconds-max", &LoadOptions::seconds_max, 0, 1'000'000, "after which nothing is sent"},
    Number{"seed", &LoadOptions::seed, 0, UINT64_MAX, "of the choice of keys"},
    Number{"server-pid", &LoadOptions::server_pid, 0, 1 << 30, "report its CPU time"},
};

// Returns what is wrong with the argument, or nothing.
std::string Apply(LoadOptions& options, std::string_view argument) {
  constexpr std::string_view kOperation = "--op=";
  if (!argument.starts_with(kOperation)) {
    return ApplyArgument<LoadOptions>(options, argument, kNumbers, {});
  }
  const std::string_view value = argument.substr(kOperation.size());
  if (value != "get" && value != "set") return fmt::format("--op=get|set, not '{}'", value);
  options.operation = value == "get" ? Operation::kGet : Operation::kSet;
  return {};
}

}  // namespace

std::optional<LoadOptions> ParseLoadOptions(int argc, char* const* argv, std::string* error) {
  LoadOptions options;
  for (int i = 1; i < argc; ++i) {
    *error = Apply(options, argv[i]);
    if (!error->empty()) return std::nullopt;
  }
  if (options.operation == Operation::kSet && options.keys_per_get != 1) {
    *error = "--keys-per-get goes with --op=get only";
    return std::nullopt;
  }
  return options;
}

std::string LoadUsage() {
  return "loadgen --name=value ...\n  --op            get or set (get)\n" +
         OptionsHelp<LoadOptions>(kNumbers, {});
}

}  // namespace larder::bench
