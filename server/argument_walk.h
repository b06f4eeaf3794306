// server/argument_walk.h - goes through arguments as getopt_long does, and hands the options in
// them to an OptionReader.
//
// Threads  one at a time in a process: getopt_long keeps its place in variables of the C library.
// Errors   a StartFailure of the walk's own, or the reader's; the walk ends there.
// Not here what an option does: option_reader.h; which command line: cli.h
#pragma once

#include <optional>

#include "server/option_reader.h"
#include "server/option_table.h"
#include "server/settings.h"

namespace larder::server {

// Where a walk over arguments ended: with a failure, with an action, or with neither at their end.
struct WalkResult {
  std::optional<StartFailure> failure;
  CliAction action = CliAction::kRun;
};

// Hands the options in `arguments` to `reader`, one after the other. Reorders them as
// getopt_long does. REQUIRES: arguments[count] is null, as main has it.
[[nodiscard]] WalkResult WalkArguments(int count, char** arguments, OptionReader& reader);

}  // namespace larder::server
