// server/option_reader.h - carries options out on Settings, whichever way they were given.
//
//   OptionReader reader(&settings);
//   reader.Begin(Source::kFile);
//   reader.Take(option, text) ..      // what a configuration file says
//   reader.Begin(Source::kCommandLine);
//   reader.Take(option, text) ..      // what the command line says wins
//   reader.Finish();
//
// Threads  one at a time.
// Errors   memcached's words and exit codes.
// Not here where options stand: cli.h, config_file.h
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/option_table.h"
#include "server/settings.h"

namespace larder::server {

class OptionReader {
 public:
  explicit OptionReader(Settings* settings) : settings_(*settings) {}

  enum class Source : uint8_t { kFile, kCommandLine };

  // What is given from here on replaces, and does not add to, what was given before.
  // REQUIRES: called before the first Take.
  void Begin(Source source) {
    source_ = source;
    given_here_.clear();
  }

  // `text` is null when no argument was given. Actions are refused: whoever knows what to print
  // does not come here.
  [[nodiscard]] std::optional<StartFailure> Take(const Option& option, const char* text);
  // `name = false` of a configuration file.
  void Deny(const Option& option);

  // What one option means for another that was not given.
  void Finish();

  [[nodiscard]] const std::vector<std::string>& Warnings() const { return warnings_; }

 private:
  [[nodiscard]] std::optional<StartFailure> TakeSetting(const Option& option, const char* text);
  [[nodiscard]] std::optional<StartFailure> TakeList(std::string_view list);
  [[nodiscard]] bool WasGiven(char letter) const { return given_.contains(FindLetter(letter)); }

  Settings& settings_;
  Source source_ = Source::kCommandLine;
  std::set<const Option*> given_;
  std::set<const Option*> given_here_;  // by the present source
  std::vector<std::string> warnings_;
};

}  // namespace larder::server
