// server/cli.h - the command line, and the configuration file that it may name: arguments in,
// Settings or a text to print out.
//
// Threads  one at a time in a process: getopt_long keeps its place in variables of the C library.
// Errors   a CliResult with kFail, text for the operator and memcached's exit code.
// Not here the options themselves: settings.def, extended_settings.def; the file: config_file.h
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/option_table.h"
#include "server/settings.h"

namespace larder::server {

struct CliResult {
  CliAction action = CliAction::kRun;
  Settings settings;  // with kRun, kCheck and kExplain
  std::string text;   // otherwise: for stdout, or with kFail for stderr
  int exit_code = 0;
  std::vector<std::string> warnings;  // for stderr, whatever the action is
};

// The whole content of the file at `path`, or none and why in `error`.
using ReadFile =
    std::function<std::optional<std::string>(const std::string& path, std::string* error)>;

// Reads nothing but `arguments` and what `read_file` gives it. Reorders `arguments` as getopt_long
// does. REQUIRES: arguments[count] is null, as main has it.
[[nodiscard]] CliResult ParseCommandLine(int count, char** arguments, const ReadFile& read_file);

}  // namespace larder::server
