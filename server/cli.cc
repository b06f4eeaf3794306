#include "server/cli.h"

#include <fmt/format.h>

#include <utility>

#include "server/argument_walk.h"
#include "server/config_file.h"
#include "server/help.h"
#include "server/version.h"

namespace larder::server {
namespace {

CliResult Fail(StartFailure failure) {
  CliResult result;
  result.action = CliAction::kFail;
  result.exit_code = failure.exit_code;
  result.text = std::move(failure.message);
  return result;
}

CliResult Print(CliAction action) {
  CliResult result;
  result.action = action;
  if (action == CliAction::kPrintHelp) result.text = HelpText();
  if (action == CliAction::kPrintLicence) result.text = LicenceText();
  if (action == CliAction::kPrintVersion) result.text = fmt::format("larder {}\n", LarderVersion());
  return result;
}

// Everything that is wrong with the file, a line for each.
std::optional<StartFailure> TakeFile(const std::string& path, const ReadFile& read_file,
                                     OptionReader& reader) {
  std::string error;
  const std::optional<std::string> text = read_file(path, &error);
  if (!text) return StartFailure{kExitUsage, fmt::format("{}: {}", path, error)};
  std::string problems;
  for (const ConfigProblem& problem : ReadConfig(*text, reader)) {
    if (!problems.empty()) problems += '\n';
    problems += fmt::format("{}:{}: {}", path, problem.line, problem.reason);
  }
  if (problems.empty()) return std::nullopt;
  return StartFailure{kExitUsage, std::move(problems)};
}

}  // namespace

CliResult ParseCommandLine(int count, char** arguments, const ReadFile& read_file) {
  // The command line is read twice when it names a file: to find the name, and once more over what
  // the file says.
  CliResult result;
  OptionReader first_reader(&result.settings);
  first_reader.Begin(OptionReader::Source::kCommandLine);
  const WalkResult first = WalkArguments(count, arguments, first_reader);
  if (first.failure) return Fail(*first.failure);
  if (first.action != CliAction::kRun) return Print(first.action);

  const std::string config_path = result.settings.config_path;
  result.settings = {};
  OptionReader reader(&result.settings);
  if (!config_path.empty()) {
    reader.Begin(OptionReader::Source::kFile);
    if (auto failure = TakeFile(config_path, read_file, reader)) return Fail(std::move(*failure));
  }
  reader.Begin(OptionReader::Source::kCommandLine);
  if (auto again = WalkArguments(count, arguments, reader); again.failure) {
    return Fail(std::move(*again.failure));
  }
  reader.Finish();
  if (auto failure = result.settings.Check()) return Fail(std::move(*failure));
  result.warnings = reader.Warnings();
  if (result.settings.explains_memory) result.action = CliAction::kExplain;
  if (result.settings.check_only) result.action = CliAction::kCheck;
  return result;
}

}  // namespace larder::server
