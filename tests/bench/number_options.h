// tests/bench/number_options.h - command lines of the form --name=value, most of whose values are
// numbers: one row of a table is one such option, and the help is written from the same table.
//
// Units    numbers are plain decimals.
// Errors   a function that can fail returns the sentence that says why, empty when all is well.
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace larder::bench {

// Where an option of a program's struct `Options` goes, its bounds, its line of help.
template <typename Options>
struct NumberOption {
  std::string_view name;
  uint64_t Options::*field;
  uint64_t min;
  uint64_t max;
  std::string_view help;
};

// The same for an option whose value is taken as it stands.
template <typename Options>
struct TextOption {
  std::string_view name;
  std::string Options::*field;
  std::string_view help;
};

template <typename Options>
[[nodiscard]] std::string ApplyNumber(Options& options, const NumberOption<Options>& row,
                                      std::string_view text) {
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

// Puts "--name=value" where the row of that name says.
template <typename Options>
[[nodiscard]] std::string ApplyArgument(Options& options, std::string_view argument,
                                        std::span<const NumberOption<Options>> number_rows,
                                        std::span<const TextOption<Options>> text_rows) {
  const size_t equals = argument.find('=');
  if (!argument.starts_with("--") || equals == std::string_view::npos) {
    return fmt::format("'{}' is not of the form --name=value", argument);
  }
  const std::string_view name = argument.substr(2, equals - 2);
  const std::string_view value = argument.substr(equals + 1);
  for (const NumberOption<Options>& row : number_rows) {
    if (row.name == name) return ApplyNumber(options, row, value);
  }
  for (const TextOption<Options>& row : text_rows) {
    if (row.name == name) {
      options.*row.field = value;
      return {};
    }
  }
  return fmt::format("unknown option --{}", name);
}

// One line for each option, with its default.
template <typename Options>
[[nodiscard]] std::string OptionsHelp(std::span<const NumberOption<Options>> number_rows,
                                      std::span<const TextOption<Options>> text_rows) {
  const Options defaults;
  std::string help;
  for (const TextOption<Options>& row : text_rows) {
    help += fmt::format("  --{:<13} {} ({})\n", row.name, row.help, defaults.*row.field);
  }
  for (const NumberOption<Options>& row : number_rows) {
    help += fmt::format("  --{:<13} {} ({})\n", row.name, row.help, defaults.*row.field);
  }
  return help;
}

}  // namespace larder::bench
