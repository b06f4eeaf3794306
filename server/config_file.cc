#include "server/config_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <limits>
#include <optional>
#include <sstream>
#include <toml.hpp>
#include <utility>

#include "server/argument_walk.h"
#include "server/utf8.h"

namespace larder::server {
namespace {

using Problems = std::vector<ConfigProblem>;

// The library reads nested things by calling itself, so that a file made for it could use up the
// stack. No file of ours nests at all; these bounds are far above any and far below harm. And it
// reads beyond a string that is no UTF-8 to say where: it is not shown one.
constexpr size_t kLineBytesMax = 1024;
constexpr int64_t kBracketsMax = 256;

// Calls `see(line, number)` for each line, without its end.
template <typename See>
void ForEachLine(std::string_view text, const See& see) {
  for (uint32_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    see(line, number);
  }
}

bool IsBlank(char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

// --- memcached.conf --------------------------------------------------------------------------

// The words before the comment.
std::vector<std::string> WordsOf(std::string_view line) {
  std::vector<std::string> words;
  bool is_inside = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '#' && (i == 0 || line[i - 1] != '\\')) break;
    if (!IsBlank(line[i])) {
      if (!is_inside) words.emplace_back();
      words.back() += line[i];
    }
    is_inside = !IsBlank(line[i]);
  }
  return words;
}

bool BeginsWithOption(const std::vector<std::string>& words) {
  return !words.empty() && words.front().starts_with('-');
}

// The process is already where it should be, and nobody waits for help.
bool IsIgnored(const std::vector<std::string>& words) {
  return !BeginsWithOption(words) || words.front().starts_with("-d") ||
         words.front().starts_with("-h");
}

std::optional<std::string> TakeLine(std::vector<std::string> words, OptionReader& reader) {
  std::string name = "larder";
  std::vector<char*> arguments = {name.data()};
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const WalkResult walk =
      WalkArguments(static_cast<int>(words.size() + 1), arguments.data(), reader);
  if (walk.failure) return walk.failure->message;
  if (walk.action != CliAction::kRun) return "belongs on the command line";
  return std::nullopt;
}

Problems ReadOptionLines(std::string_view text, OptionReader& reader) {
  Problems problems;
  ForEachLine(text, [&](std::string_view line, uint32_t number) {
    std::vector<std::string> words = WordsOf(line);
    if (IsIgnored(words)) return;
    if (auto reason = TakeLine(std::move(words), reader)) {
      problems.push_back({number, std::move(*reason)});
    }
  });
  return problems;
}

// A key of TOML never begins with a dash.
bool IsOptionLines(std::string_view text) {
  bool has_option = false;
  ForEachLine(text, [&](std::string_view line, uint32_t) {
    has_option = has_option || BeginsWithOption(WordsOf(line));
  });
  return has_option;
}

// --- TOML ------------------------------------------------------------------------------------

// Of one key: what is wrong, or nothing.
using Verdict = std::optional<std::string>;

Verdict TakeText(const Option& option, const std::string& text, OptionReader& reader) {
  if (auto failure = reader.Take(option, text.c_str())) return std::move(failure->message);
  return std::nullopt;
}

Verdict TakeSwitch(const Option& option, bool is_on, OptionReader& reader) {
  if (!is_on) {
    reader.Deny(option);
    return std::nullopt;
  }
  if (auto failure = reader.Take(option, nullptr)) return std::move(failure->message);
  return std::nullopt;
}

Verdict TakeCount(const Option& option, int64_t count, OptionReader& reader) {
  constexpr int64_t kCountMax = 3;
  if (count < 0 || count > kCountMax) return fmt::format("must be 0 to {}", kCountMax);
  reader.Deny(option);
  for (int64_t i = 0; i < count; ++i) {
    if (auto verdict = TakeSwitch(option, true, reader)) return verdict;
  }
  return std::nullopt;
}

Verdict TakeInteger(const Option& option, int64_t number, OptionReader& reader) {
  const bool fits = number >= std::numeric_limits<int32_t>::min() &&
                    number <= std::numeric_limits<uint32_t>::max();
  if (!fits) return "is out of range";
  return TakeText(option, fmt::to_string(number), reader);
}

Verdict TakeArray(const Option& option, const toml::array& texts, OptionReader& reader) {
  for (const toml::value& text : texts) {
    if (!text.is_string()) return "must be a list of texts in quotes";
    if (auto verdict = TakeText(option, text.as_string().str, reader)) return verdict;
  }
  return std::nullopt;
}

std::string_view WantedFor(ArgumentShape shape) {
  switch (shape) {
    case ArgumentShape::kNone:
      return "must be true or false";
    case ArgumentShape::kCount:
    case ArgumentShape::kNumber:
    case ArgumentShape::kOptionalNumber:
      return "must be a whole number";
    case ArgumentShape::kReal:
      return "must be a number";
    case ArgumentShape::kSize:
      return "must be a whole number, or text in quotes such as \"512k\"";
    case ArgumentShape::kText:
      return "must be text in quotes";
    case ArgumentShape::kList:
      return "must be text in quotes, or a list of such";
  }
  return {};
}

Verdict TakeValue(const Option& option, const toml::value& value, OptionReader& reader) {
  using Shape = ArgumentShape;
  const Shape shape = option.shape;
  const auto is_one_of = [&](auto... shapes) { return ((shape == shapes) || ...); };
  if (value.is_boolean() && is_one_of(Shape::kNone, Shape::kCount, Shape::kOptionalNumber)) {
    return TakeSwitch(option, value.as_boolean(), reader);
  }
  if (value.is_integer() && shape == Shape::kCount) {
    return TakeCount(option, value.as_integer(), reader);
  }
  if (value.is_integer() &&
      is_one_of(Shape::kNumber, Shape::kOptionalNumber, Shape::kReal, Shape::kSize)) {
    return TakeInteger(option, value.as_integer(), reader);
  }
  if (value.is_floating() && shape == Shape::kReal) {
    return TakeText(option, fmt::to_string(value.as_floating()), reader);
  }
  if (value.is_string() && is_one_of(Shape::kSize, Shape::kText, Shape::kList)) {
    return TakeText(option, value.as_string().str, reader);
  }
  if (value.is_array() && shape == Shape::kList) {
    return TakeArray(option, value.as_array(), reader);
  }
  return std::string(WantedFor(shape));
}

std::string UnknownKey(const std::string& key) {
  const std::string_view suggestion = SuggestKey(key);
  if (suggestion.empty()) return fmt::format("unknown key \"{}\"", key);
  return fmt::format("unknown key \"{}\"; did you mean \"{}\"?", key, suggestion);
}

Verdict TakeEntry(const std::string& key, const toml::value& value, OptionReader& reader) {
  const Option* const option = FindKey(key);
  if (option == nullptr) return UnknownKey(key);
  const bool can_have_value =
      option->role == OptionRole::kSetting || option->role == OptionRole::kExtended;
  if (!can_have_value) return TakeSwitch(*option, true, reader);  // says why not
  Verdict verdict = TakeValue(*option, value, reader);
  if (verdict) *verdict = fmt::format("{}: {}", key, *verdict);
  return verdict;
}

// "[error] toml::function: what is wrong" on the first line of several.
std::string FirstReason(std::string_view what) {
  what = what.substr(0, what.find('\n'));
  for (const std::string_view lead : {"[error] ", "toml::"}) {
    if (what.starts_with(lead)) what.remove_prefix(lead.size());
  }
  const size_t colon = what.find(": ");
  const bool has_function =
      colon != std::string_view::npos && what.substr(0, colon).find(' ') == std::string_view::npos;
  if (has_function) what.remove_prefix(colon + 2);
  return std::string(what);
}

std::optional<ConfigProblem> RefuseUnreadable(std::string_view text) {
  std::optional<ConfigProblem> problem;
  int64_t brackets = 0;
  ForEachLine(text, [&](std::string_view line, uint32_t number) {
    brackets += std::ranges::count_if(line, [](char byte) { return byte == '[' || byte == '{'; });
    if (problem.has_value()) return;
    if (!IsUtf8(line)) {
      problem = {number, "is not UTF-8"};
    } else if (line.size() > kLineBytesMax) {
      problem = {number, fmt::format("is longer than {} bytes", kLineBytesMax)};
    } else if (brackets > kBracketsMax) {
      problem = {number, fmt::format("more than {} brackets", kBracketsMax)};
    }
  });
  return problem;
}

Problems ReadToml(std::string_view text, OptionReader& reader) {
  if (auto problem = RefuseUnreadable(text)) return {std::move(*problem)};
  toml::value root;
  try {
    std::istringstream stream{std::string(text)};
    root = toml::parse(stream, "file");
  } catch (const toml::exception& error) {
    return {{static_cast<uint32_t>(error.location().line()), FirstReason(error.what())}};
  } catch (const std::exception& error) {
    return {{1, FirstReason(error.what())}};
  }
  struct Entry {
    uint32_t line;
    const std::string* key;
    const toml::value* value;
  };
  // In the order of the file, which is the order in which presets and what follows them count.
  std::vector<Entry> entries;
  for (const auto& [key, value] : root.as_table()) {
    entries.push_back({static_cast<uint32_t>(value.location().line()), &key, &value});
  }
  std::ranges::sort(entries, {}, &Entry::line);
  Problems problems;
  for (const Entry& entry : entries) {
    if (auto reason = TakeEntry(*entry.key, *entry.value, reader)) {
      problems.push_back({entry.line, std::move(*reason)});
    }
  }
  return problems;
}

}  // namespace

std::vector<ConfigProblem> ReadConfig(std::string_view text, OptionReader& reader) {
  return IsOptionLines(text) ? ReadOptionLines(text, reader) : ReadToml(text, reader);
}

}  // namespace larder::server
