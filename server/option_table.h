// server/option_table.h - the rows of settings.def and extended_settings.def as values, for whoever
// reads options or writes about them.
//
// Threads  constants and pure functions.
// Not here what is done with a row: option_reader.h; the walk over a command line: cli.h; over a
//          file: config_file.h; texts for people: help.h
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "server/option_kinds.h"
#include "server/settings.h"

namespace larder::server {

// kCheck, kExplain: the settings are good, but are to be spoken of only.
enum class CliAction : uint8_t {
  kRun,
  kPrintHelp,
  kPrintLicence,
  kPrintVersion,
  kCheck,
  kExplain,
  kFail,
};

// kControl: a setting that only the command line may have.
enum class OptionRole : uint8_t { kSetting, kControl, kAction, kExtended, kAbsent };

struct Option {
  OptionRole role = OptionRole::kSetting;
  char letter = '\0';
  const char* name = "";      // the long name, or that of the sub-option
  const char* argument = "";  // its name in the help; empty: it takes none
  ArgumentShape shape = ArgumentShape::kNone;

  // kSetting and kControl only. See option_kinds.h; Reset puts the default back.
  bool (*take)(const char* text, Settings*, std::string* complaint) = nullptr;
  void (*deny)(Settings*) = nullptr;
  void (*reset)(Settings*) = nullptr;
  std::string (*show)(const Settings&) = nullptr;

  CliAction action = CliAction::kRun;  // kAction only
  int exit_code = kExitFailure;        // of a refused value
  const char* missing = "";            // about an argument that is not there
  const char* complaint = "";          // about a value that is refused
  const char* unused = "";             // why it changes nothing; empty: it does
  const char* feature = "";            // kAbsent: what this build is without
  const char* help = "";

  [[nodiscard]] bool IsSetting() const {
    return role == OptionRole::kSetting || role == OptionRole::kControl;
  }
  [[nodiscard]] bool TakesArgument() const { return *argument != '\0'; }
};

// The options with a dash, and those of -o.
[[nodiscard]] std::span<const Option> DashOptions();
[[nodiscard]] std::span<const Option> SubOptions();

// Null: there is none.
[[nodiscard]] const Option* FindLetter(char letter);
[[nodiscard]] const Option* FindSubOption(std::string_view name);
// Among all long names and sub-options: the keys of a configuration file.
[[nodiscard]] const Option* FindKey(std::string_view name);

// A key that somebody who wrote `name` may have meant; empty when nothing is like it.
[[nodiscard]] std::string_view SuggestKey(std::string_view name);

}  // namespace larder::server
