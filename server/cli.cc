#include "server/cli.h"

#include <fmt/format.h>
#include <getopt.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "server/option_kinds.h"
#include "server/version.h"

namespace larder::server {
namespace {

// getopt_long, fed from settings.def, and not CLI11: memcached's command lines use what only it
// understands. Long options may be abbreviated, words that are no options are ignored, and an
// option with its value may come as one argument with a blank inside ("-m 8192").

constexpr int kManyWorkers = 64;

// Reads one argument into its field. False: the value is refused.
using TakeFn = bool (*)(const char* text, Settings* settings);

struct Option {
  char letter;
  const char* long_name;
  int argument;           // getopt's no_argument, required_argument or optional_argument
  TakeFn take;            // null: an action
  CliAction action;       // with an action
  const char* complaint;  // about a value that `take` refuses
};

constexpr auto kOptions = std::to_array<Option>({
#define OPTION(letter, long_name, argument, kind, type, field, initial, complaint, help) \
  {letter,                                                                               \
   long_name,                                                                            \
   option_kinds::kind::kArgument,                                                        \
   [](const char* text, Settings* settings) {                                            \
     return option_kinds::kind::Take(text, &settings->field);                            \
   },                                                                                    \
   CliAction::kRun,                                                                      \
   complaint},
#define ACTION(letter, long_name, action, help) \
  {letter, long_name, no_argument, nullptr, CliAction::action, ""},
#include "server/settings.def"
#undef OPTION
#undef ACTION
});

const Option* FindOption(int letter) {
  const auto found = std::find_if(kOptions.begin(), kOptions.end(),
                                  [&](const Option& row) { return row.letter == letter; });
  return found == kOptions.end() ? nullptr : &*found;
}

// What getopt_long wants to know, built from the table.
struct GetoptTables {
  std::string letters = ":";  // the colon first: a missing argument is reported as ':'
  std::vector<option> long_names;

  GetoptTables() {
    for (const Option& row : kOptions) {
      letters += row.letter;
      if (row.argument == required_argument) letters += ':';
      if (*row.long_name != '\0') {
        long_names.push_back({row.long_name, row.argument, nullptr, row.letter});
      }
    }
    long_names.push_back({nullptr, 0, nullptr, 0});
  }
};

CliResult Fail(int exit_code, std::string text) {
  CliResult result;
  result.action = CliAction::kFail;
  result.exit_code = exit_code;
  result.text = std::move(text);
  return result;
}

CliResult Print(CliAction action) {
  CliResult result;
  result.action = action;
  result.text =
      action == CliAction::kPrintHelp ? HelpText() : fmt::format("larder {}\n", LarderVersion());
  return result;
}

// getopt's optind stands behind the argument that it could not make sense of, or on it when that
// is a cluster of letters; there optopt is the letter.
CliResult FailUnknown(char** arguments) {
  const bool is_letter = optopt != 0 && FindOption(optopt) == nullptr;
  const std::string option =
      is_letter ? fmt::format("-{}", static_cast<char>(optopt)) : arguments[optind - 1];
  return Fail(kExitFailure,
              fmt::format("larder: unknown or ambiguous option \"{}\"; try larder -h", option));
}

CliResult FailMissing(char** arguments) {
  return Fail(kExitFailure,
              fmt::format("larder: option \"{}\" needs an argument", arguments[optind - 1]));
}

const char* SkipBlanks(const char* text) {
  while (*text == ' ' || *text == '\t' || *text == '\n') ++text;
  return text;
}

CliResult Finish(const Settings& settings) {
  if (const std::optional<StartFailure> failure = settings.Check()) {
    return Fail(failure->exit_code, failure->message);
  }
  CliResult result;
  result.settings = settings;
  if (settings.worker_count > kManyWorkers) {
    result.warnings.emplace_back(
        "WARNING: more threads than the machine has cores make the server slower.");
  }
  return result;
}

void AppendOptionHelp(const OptionHelp& row, std::string* text) {
  constexpr size_t kTextColumn = 32;
  constexpr size_t kLineWidth = 100;
  std::string line = fmt::format("-{}", row.letter);
  if (!row.long_name.empty()) line += fmt::format(", --{}", row.long_name);
  if (!row.argument.empty()) {
    line += fmt::format("{}<{}>", row.long_name.empty() ? " " : "=", row.argument);
  }
  line.resize(std::max(line.size() + 1, kTextColumn), ' ');
  std::string sentence(row.text);
  if (!row.initial.empty()) sentence += fmt::format(" (default: {})", row.initial);
  // Words fill the lines, each further line indented to the column of the first.
  bool is_at_start = true;
  for (std::string_view rest = sentence; !rest.empty();) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    if (!is_at_start && line.size() + 1 + word.size() > kLineWidth) {
      *text += line + '\n';
      line.assign(kTextColumn, ' ');
      is_at_start = true;
    }
    if (!is_at_start) line += ' ';
    line += word;
    is_at_start = false;
  }
  *text += line + '\n';
}

}  // namespace

CliResult ParseCommandLine(int count, char** arguments) {
  const GetoptTables tables;
  Settings settings;
  ::optind = 0;  // glibc: start anew, even after an earlier command line
  ::opterr = 0;  // we have our own words
  for (;;) {
    const int letter =
        ::getopt_long(count, arguments, tables.letters.c_str(), tables.long_names.data(), nullptr);
    if (letter == -1) return Finish(settings);
    if (letter == '?') return FailUnknown(arguments);
    if (letter == ':') return FailMissing(arguments);
    const Option& row = *FindOption(letter);
    if (row.take == nullptr) return Print(row.action);
    const char* const value = ::optarg == nullptr ? "" : SkipBlanks(::optarg);
    if (!row.take(value, &settings)) return Fail(kExitFailure, row.complaint);
  }
}

std::vector<OptionHelp> OptionTable() {
  const Settings initial;
  return {
#define OPTION(letter, long_name, argument, kind, type, field, unused, complaint, help) \
  {letter, long_name, argument, help, option_kinds::kind::Show(initial.field)},
#define ACTION(letter, long_name, action, help) {letter, long_name, "", help, ""},
#include "server/settings.def"
#undef OPTION
#undef ACTION
  };
}

std::string HelpText() {
  std::string text = fmt::format("larder {}\n", LarderVersion());
  for (const OptionHelp& row : OptionTable()) AppendOptionHelp(row, &text);
  return text;
}

}  // namespace larder::server
