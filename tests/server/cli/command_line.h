// tests/server/cli/command_line.h - command lines as tests write them, without files.
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/cli.h"
#include "server/settings_report.h"

namespace larder::server {

using Words = std::vector<std::string>;
using Files = std::map<std::string, std::string>;

inline CliResult Parse(Words words, const Files& files = {}) {
  words.insert(words.begin(), "larder");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const auto read_file = [&](const std::string& path,
                             std::string* error) -> std::optional<std::string> {
    const auto found = files.find(path);
    if (found != files.end()) return found->second;
    *error = "cannot be read: no such file";
    return std::nullopt;
  };
  return ParseCommandLine(static_cast<int>(words.size()), arguments.data(), read_file);
}

inline Settings Accept(const Words& words) {
  const CliResult result = Parse(words);
  INFO(result.text);
  CHECK(result.action == CliAction::kRun);
  return result.settings;
}

// "exit code: text"
inline std::string Refuse(const Words& words) {
  const CliResult result = Parse(words);
  CHECK(result.action == CliAction::kFail);
  return std::to_string(result.exit_code) + ": " + result.text;
}

using Shown = std::vector<std::pair<std::string, std::string>>;

// All of `stats settings`, in its order.
inline Shown ShowAll(const Settings& settings, const ReportedState& state = {}) {
  Shown shown;
  ReportSettings(
      settings, LiveSettings(settings), state,
      [&](std::string_view key, std::string_view value) { shown.emplace_back(key, value); });
  return shown;
}

// What `stats settings` shows for one key.
inline std::string ShownAs(const Words& words, std::string_view wanted) {
  for (const auto& [key, value] : ShowAll(Accept(words))) {
    if (key == wanted) return value;
  }
  return "not shown";
}

}  // namespace larder::server
