// Any words at all on the command line, and any file that --config may name: an answer comes, the
// same each time, and a refusal is never silent.
//
// The input is lines; those up to an empty one are arguments, the rest is the file.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/cli.h"
#include "tests/fuzz/require.h"

namespace {

using larder::fuzz::Require;
using larder::server::CliAction;
using larder::server::CliResult;
using larder::server::ParseCommandLine;

struct Given {
  std::vector<std::string> arguments{"larder"};
  std::string file;
};

Given Split(std::string_view input) {
  Given given;
  while (!input.empty()) {
    const size_t end = std::min(input.find('\n'), input.size());
    const std::string_view line = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
    if (line.empty()) {
      given.file = input;
      break;
    }
    // An argument ends at its first zero byte.
    given.arguments.emplace_back(line.substr(0, line.find('\0')));
  }
  return given;
}

CliResult Parse(Given given) {
  std::vector<char*> arguments;
  for (std::string& argument : given.arguments) arguments.push_back(argument.data());
  const int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  const auto read_file = [&](const std::string& path, std::string* error) {
    if (path != "missing") return std::optional<std::string>(given.file);
    *error = "no such file";
    return std::optional<std::string>();
  };
  return ParseCommandLine(count, arguments.data(), read_file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Given given = Split({reinterpret_cast<const char*>(data), size});
  const CliResult result = Parse(given);
  const CliResult again = Parse(given);
  Require(result.action == again.action && result.text == again.text);
  Require(result.exit_code == again.exit_code && result.warnings == again.warnings);
  if (result.action == CliAction::kFail) {
    Require(result.exit_code != 0 && !result.text.empty());
  } else {
    Require(result.exit_code == 0);
  }
  return 0;
}
