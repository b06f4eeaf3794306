#include "server/option_table.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <vector>

namespace larder::server {
namespace {

template <typename Kind>
constexpr int ExitCodeOf() {
  if constexpr (requires { Kind::kExitCode; }) {
    return Kind::kExitCode;
  } else {
    return kExitFailure;
  }
}

// What a switch to another field's value does when it is denied: a bool becomes the other one.
template <typename Field, typename Value>
void SetOther(Field* field, Value value) {
  if constexpr (std::is_same_v<Field, bool>) *field = !value;
}

#define TAKE(kind, field)                                               \
  [](const char* text, Settings* settings, std::string* complaint) {    \
    return option_kinds::kind::Take(text, &settings->field, complaint); \
  }
#define DENY(kind, field) [](Settings* settings) { option_kinds::kind::Deny(&settings->field); }
#define RESET(field) [](Settings* settings) { settings->field = Settings{}.field; }
#define SHOW(kind, field) \
  [](const Settings& settings) { return option_kinds::kind::Show(settings.field); }

constexpr auto kDashOptions = std::to_array<Option>({
#define OPTION(letter_, name_, argument_, kind, type, field, initial, complaint_, unused_, help_) \
  {.letter = (letter_),                                                                           \
   .name = (name_),                                                                               \
   .argument = (argument_),                                                                       \
   .shape = option_kinds::kind::kShape,                                                           \
   .take = TAKE(kind, field),                                                                     \
   .deny = DENY(kind, field),                                                                     \
   .reset = RESET(field),                                                                         \
   .show = SHOW(kind, field),                                                                     \
   .exit_code = ExitCodeOf<option_kinds::kind>(),                                                 \
   .complaint = (complaint_),                                                                     \
   .unused = (unused_),                                                                           \
   .help = (help_)},
#define ACTION(letter_, name_, action_, help_) \
  {.role = OptionRole::kAction,                \
   .letter = (letter_),                        \
   .name = (name_),                            \
   .action = CliAction::action_,               \
   .help = (help_)},
#define EXTENDED(letter_, name_, argument_, help_) \
  {.role = OptionRole::kExtended,                  \
   .letter = (letter_),                            \
   .name = (name_),                                \
   .argument = (argument_),                        \
   .shape = ArgumentShape::kText,                  \
   .help = (help_)},
#define CONTROL(name_, argument_, kind, type, field, initial, help_) \
  {.role = OptionRole::kControl,                                     \
   .name = (name_),                                                  \
   .argument = (argument_),                                          \
   .shape = option_kinds::kind::kShape,                              \
   .take = TAKE(kind, field),                                        \
   .deny = DENY(kind, field),                                        \
   .reset = RESET(field),                                            \
   .show = SHOW(kind, field),                                        \
   .help = (help_)},
#define ABSENT(letter_, name_, argument_, feature_)                             \
  {.role = OptionRole::kAbsent,                                                 \
   .letter = (letter_),                                                         \
   .name = (name_),                                                             \
   .argument = (argument_),                                                     \
   .shape = *(argument_) == '\0' ? ArgumentShape::kNone : ArgumentShape::kText, \
   .feature = (feature_)},
#include "server/settings.def"
});

constexpr auto kSubOptions = std::to_array<Option>({
#define SUBOPTION(name_, argument_, kind, type, field, initial, missing_, complaint_, unused_, \
                  help_)                                                                       \
  {.name = #name_,                                                                             \
   .argument = (argument_),                                                                    \
   .shape = option_kinds::kind::kShape,                                                        \
   .take = TAKE(kind, field),                                                                  \
   .deny = DENY(kind, field),                                                                  \
   .reset = RESET(field),                                                                      \
   .show = SHOW(kind, field),                                                                  \
   .exit_code = ExitCodeOf<option_kinds::kind>(),                                              \
   .missing = (missing_),                                                                      \
   .complaint = (complaint_),                                                                  \
   .unused = (unused_),                                                                        \
   .help = (help_)},
#define SWITCH(name_, field, value, unused_, help_)                         \
  {.name = #name_,                                                          \
   .take =                                                                  \
       [](const char*, Settings* settings, std::string*) {                  \
         settings->field = (value);                                         \
         return true;                                                       \
       },                                                                   \
   .deny = [](Settings* settings) { SetOther(&settings->field, (value)); }, \
   .reset = [](Settings*) {},                                               \
   .show = [](const Settings&) { return std::string(); },                   \
   .unused = (unused_),                                                     \
   .help = (help_)},
#define PRESET(name_, apply, unused_, help_)               \
  {.name = #name_,                                         \
   .take =                                                 \
       [](const char*, Settings* settings, std::string*) { \
         settings->apply();                                \
         return true;                                      \
       },                                                  \
   .deny = [](Settings*) {},                               \
   .reset = [](Settings*) {},                              \
   .show = [](const Settings&) { return std::string(); },  \
   .unused = (unused_),                                    \
   .help = (help_)},
#define ABSENT_SUBOPTION(name_, feature_) \
  {.role = OptionRole::kAbsent, .name = #name_, .feature = (feature_)},
#include "server/extended_settings.def"
});

const Option* FindName(std::span<const Option> options, std::string_view name) {
  const auto found =
      std::ranges::find_if(options, [&](const Option& row) { return row.name == name; });
  return found == options.end() ? nullptr : &*found;
}

// Characters to insert, remove or replace to turn one name into the other, upper and lower case
// and the two dashes being the same (Levenshtein, one row of the table at a time).
size_t Distance(std::string_view one, std::string_view other) {
  const auto plain = [](char byte) {
    if (byte == '_') return '-';
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
  };
  std::vector<size_t> row(other.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < one.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < other.size(); ++j) {
      const size_t replaced = diagonal + (plain(one[i]) == plain(other[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::span<const Option> DashOptions() { return kDashOptions; }
std::span<const Option> SubOptions() { return kSubOptions; }

const Option* FindLetter(char letter) {
  const auto* const found =
      std::ranges::find_if(kDashOptions, [&](const Option& row) { return row.letter == letter; });
  return letter == '\0' || found == kDashOptions.end() ? nullptr : found;
}

const Option* FindSubOption(std::string_view name) { return FindName(kSubOptions, name); }

const Option* FindKey(std::string_view name) {
  if (name.empty()) return nullptr;
  const Option* const found = FindName(kDashOptions, name);
  return found != nullptr ? found : FindSubOption(name);
}

std::string_view SuggestKey(std::string_view name) {
  constexpr size_t kNameBytesMax = 64;
  if (name.size() > kNameBytesMax) return {};
  // Two letters changed places, or a third of it is wrong.
  size_t nearest = std::max<size_t>(3, name.size() / 3 + 1);
  std::string_view suggestion;
  for (const std::span<const Option> options : {DashOptions(), SubOptions()}) {
    for (const Option& row : options) {
      const size_t distance = Distance(name, row.name);
      if (distance >= nearest || *row.name == '\0') continue;
      nearest = distance;
      suggestion = row.name;
    }
  }
  return suggestion;
}

}  // namespace larder::server
