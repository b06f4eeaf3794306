#include "tests/bench/load_options.h"

#include <catch2/catch.hpp>
#include <initializer_list>
#include <string>
#include <vector>

namespace larder::bench {
namespace {

struct Parsed {
  std::optional<LoadOptions> options;
  std::string error;
};

Parsed Parse(std::initializer_list<const char*> arguments) {
  std::vector<std::string> texts{"loadgen"};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(texts.size());
  for (std::string& text : texts) argv.push_back(text.data());
  Parsed parsed;
  parsed.options = ParseLoadOptions(static_cast<int>(argv.size()), argv.data(), &parsed.error);
  return parsed;
}

TEST_CASE("Without arguments the load is single gets from 50 clients") {
  const Parsed parsed = Parse({});
  REQUIRE(parsed.options);
  CHECK(parsed.options->operation == Operation::kGet);
  CHECK(parsed.options->connections == 50);
  CHECK(parsed.options->pipeline == 1);
}

TEST_CASE("Every number goes to its own field") {
  const Parsed parsed = Parse({"--port=1", "--connections=2", "--pipeline=3", "--keys=4",
                               "--value-bytes=5", "--keys-per-get=6", "--requests=7", "--warmup=8",
                               "--rate=11", "--seed=9", "--server-pid=10", "--seconds-max=12"});
  REQUIRE(parsed.options);
  const LoadOptions& options = *parsed.options;
  CHECK(std::vector<uint64_t>{options.port, options.connections, options.pipeline, options.keys,
                              options.value_bytes, options.keys_per_get, options.requests,
                              options.warmup, options.seed, options.server_pid, options.rate,
                              options.seconds_max} ==
        std::vector<uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
}

TEST_CASE("A bad argument is named in the error") {
  const std::string argument =
      GENERATE("--nonsense=1", "--port=0", "--port=65536", "--keys=", "--keys=12x", "--keys=-1",
               "--op=delete", "get", "--op");
  INFO(argument);
  const Parsed parsed = Parse({argument.c_str()});
  CHECK_FALSE(parsed.options);
  CHECK_FALSE(parsed.error.empty());
}

TEST_CASE("Several keys go with gets only") {
  CHECK(Parse({"--op=get", "--keys-per-get=100"}).options);
  CHECK_FALSE(Parse({"--op=set", "--keys-per-get=100"}).options);
}

}  // namespace
}  // namespace larder::bench
