// server/cli.h - the command line: arguments in, Settings or a text to print out.
//
// Threads  one at a time in a process: getopt_long keeps its place in variables of the C library.
// Errors   a CliResult with kFail, one line of text and memcached's exit code.
// Not here the options themselves: settings.def
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/settings.h"

namespace larder::server {

enum class CliAction : uint8_t { kRun, kPrintHelp, kPrintVersion, kFail };

struct CliResult {
  CliAction action = CliAction::kRun;
  Settings settings;  // with kRun
  std::string text;   // otherwise: for stdout, or with kFail for stderr
  int exit_code = 0;
  std::vector<std::string> warnings;  // for stderr, whatever the action is
};

// Reorders `arguments` as getopt_long does. REQUIRES: arguments[count] is null, as main has it.
[[nodiscard]] CliResult ParseCommandLine(int count, char** arguments);

// One row of the table, for those who print it.
struct OptionHelp {
  char letter = '\0';
  std::string_view long_name;  // empty: none
  std::string_view argument;   // empty: none
  std::string_view text;
  std::string initial;  // the default; empty: none to speak of
};
[[nodiscard]] std::vector<OptionHelp> OptionTable();

[[nodiscard]] std::string HelpText();

}  // namespace larder::server
