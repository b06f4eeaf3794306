#include "server/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "server/settings.h"
#include "server/version.h"

namespace larder::server {
namespace {

std::string DefaultOf(const Option& option) {
  return option.IsSetting() ? option.show(Settings{}) : std::string();
}

std::string DashUsage(const Option& option) {
  std::string usage;
  if (option.letter != '\0') usage = fmt::format("-{}, ", option.letter);
  usage += fmt::format("--{}", option.name);
  if (option.TakesArgument()) usage += fmt::format("=<{}>", option.argument);
  return usage;
}

// Words fill the lines, each further line indented to the column of the first.
void AppendEntry(const std::string& usage, std::string_view sentence, std::string* text) {
  constexpr size_t kTextColumn = 32;
  constexpr size_t kLineWidth = 100;
  std::string line = usage;
  line.resize(std::max(line.size() + 1, kTextColumn), ' ');
  bool is_at_start = true;
  while (!sentence.empty()) {
    const std::string_view word = sentence.substr(0, sentence.find(' '));
    sentence.remove_prefix(std::min(word.size() + 1, sentence.size()));
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

// A bar would end the cell.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char byte : text) {
    if (byte == '|') cell += '\\';
    cell += byte;
  }
  return cell;
}

std::string Code(std::string_view text) {
  return text.empty() ? std::string() : fmt::format("`{}`", Cell(text));
}

std::string Meaning(const Option& option) {
  std::string meaning = Cell(option.help);
  if (*option.unused != '\0') meaning += fmt::format(" (no effect: {})", Cell(option.unused));
  return meaning;
}

std::string ReadmeRow(const Option& option) {
  if (option.letter == '\0' && FindSubOption(option.name) == &option) {
    return fmt::format("| {} | {} | {} |\n", Code(SubOptionUsage(option)), Code(DefaultOf(option)),
                       Meaning(option));
  }
  const std::string letter = option.letter == '\0' ? "" : fmt::format("`-{}`, ", option.letter);
  return fmt::format("| {}`--{}` | {} | {} |\n", letter, option.name, Code(DefaultOf(option)),
                     Meaning(option));
}

}  // namespace

std::string Describe(const Option& option) {
  std::string sentence = option.help;
  if (const std::string initial = DefaultOf(option); !initial.empty()) {
    sentence += fmt::format(" (default: {})", initial);
  }
  if (*option.unused != '\0') sentence += fmt::format(" (no effect: {})", option.unused);
  return sentence;
}

std::string SubOptionUsage(const Option& option) {
  if (!option.TakesArgument()) return option.name;
  const std::string_view argument = option.argument;
  if (argument.front() != '[') return fmt::format("{}={}", option.name, argument);
  return fmt::format("{}[={}", option.name, argument.substr(1));  // may be left out
}

std::string AbsentOptions() {
  std::vector<std::pair<std::string_view, std::string>> features;
  const auto add = [&](const Option& row, const std::string& name) {
    auto found = std::ranges::find(features, std::string_view(row.feature),
                                   &decltype(features)::value_type::first);
    if (found == features.end()) found = features.insert(features.end(), {row.feature, ""});
    if (!found->second.empty()) found->second += ", ";
    found->second += name;
  };
  for (const Option& row : DashOptions()) {
    if (row.role == OptionRole::kAbsent) add(row, fmt::format("-{}", row.letter));
  }
  for (const Option& row : SubOptions()) {
    if (row.role == OptionRole::kAbsent) add(row, row.name);
  }
  std::string text;
  for (const auto& [feature, options] : features) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", feature, options);
  }
  return text;
}

std::string HelpText() {
  std::string text = fmt::format("larder {}\n", LarderVersion());
  for (const Option& row : DashOptions()) {
    if (row.role != OptionRole::kAbsent) AppendEntry(DashUsage(row), Describe(row), &text);
  }
  text += "\nOptions of -o:\n";
  for (const Option& row : SubOptions()) {
    if (row.role != OptionRole::kAbsent) {
      AppendEntry("  " + SubOptionUsage(row), Describe(row), &text);
    }
  }
  text += '\n';
  AppendEntry("Refused, not in this build:", AbsentOptions() + '.', &text);
  return text;
}

std::string ReadmeOptions() {
  std::string text = "| option | default | meaning |\n|---|---|---|\n";
  for (const Option& row : DashOptions()) {
    if (row.role != OptionRole::kAbsent) text += ReadmeRow(row);
  }
  text += "\n| with `-o` | default | meaning |\n|---|---|---|\n";
  for (const Option& row : SubOptions()) {
    if (row.role != OptionRole::kAbsent) text += ReadmeRow(row);
  }
  text += fmt::format("\nRefused, because this build is without: {}.\n", AbsentOptions());
  return text;
}

}  // namespace larder::server
