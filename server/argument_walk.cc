#include "server/argument_walk.h"

#include <fmt/format.h>
#include <getopt.h>

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace larder::server {
namespace {

// getopt_long, fed from the table of options, and not CLI11: memcached's command lines use what
// only it understands. Long options may be abbreviated, words that are no options are ignored, and
// an option with its value may come as one argument with a blank inside ("-m 8192").

// What getopt_long answers for row i: its letter, or when it has none this plus i.
constexpr int kFirstCode = 256;

// Beginnings of memcached's `--conn-limit` that would also be those of our `--config`.
constexpr std::array<const char*, 3> kKeptAbbreviations = {"c", "co", "con"};

int GetoptArgument(const Option& row) {
  if (row.shape == ArgumentShape::kNone) return no_argument;
  return row.shape == ArgumentShape::kCount ? optional_argument : required_argument;
}

// What getopt_long wants to know, built from the table.
struct GetoptTables {
  std::string letters = ":";  // the colon first: a missing argument is reported as ':'
  std::vector<option> long_names;

  GetoptTables() {
    int code = kFirstCode;
    for (const Option& row : DashOptions()) {
      const int argument = GetoptArgument(row);
      if (row.letter != '\0') letters += row.letter;
      if (row.letter != '\0' && argument == required_argument) letters += ':';
      long_names.push_back({row.name, argument, nullptr, row.letter != '\0' ? row.letter : code});
      ++code;
    }
    for (const char* name : kKeptAbbreviations) {
      long_names.push_back({name, required_argument, nullptr, 'c'});
    }
    long_names.push_back({nullptr, 0, nullptr, 0});
  }
};

const Option& FindCode(int code) {
  if (code < kFirstCode) return *FindLetter(static_cast<char>(code));
  return DashOptions()[static_cast<size_t>(code - kFirstCode)];
}

// getopt's optind stands behind the argument that it could not make sense of, or on it when that
// is a cluster of letters; there optopt is the letter.
StartFailure FailUnknown(char** arguments) {
  const bool is_letter =
      optopt > 0 && optopt < kFirstCode && FindLetter(static_cast<char>(optopt)) == nullptr;
  const std::string given =
      is_letter ? fmt::format("-{}", static_cast<char>(optopt)) : arguments[optind - 1];
  return {kExitFailure,
          fmt::format("larder: unknown or ambiguous option \"{}\"; try larder -h", given)};
}

StartFailure FailMissing(char** arguments) {
  return {kExitFailure,
          fmt::format("larder: option \"{}\" needs an argument", arguments[optind - 1])};
}

const char* SkipBlanks(const char* text) {
  while (*text == ' ' || (*text >= '\t' && *text <= '\r')) ++text;
  return text;
}

}  // namespace

WalkResult WalkArguments(int count, char** arguments, OptionReader& reader) {
  const GetoptTables tables;
  ::optind = 0;  // glibc: start anew, even after an earlier command line that was not finished
  ::opterr = 0;  // we have our own words
  for (;;) {
    const int code =
        ::getopt_long(count, arguments, tables.letters.c_str(), tables.long_names.data(), nullptr);
    if (code == -1) return {};
    if (code == '?') return {FailUnknown(arguments)};
    if (code == ':') return {FailMissing(arguments)};
    const Option& row = FindCode(code);
    if (row.role == OptionRole::kAction) return {std::nullopt, row.action};
    const char* const value = ::optarg == nullptr ? nullptr : SkipBlanks(::optarg);
    if (auto failure = reader.Take(row, value)) return {std::move(failure)};
  }
}

}  // namespace larder::server
