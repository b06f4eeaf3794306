// server/option_kinds.h - the kinds of options in settings.def: how an argument is read, and how a
// default is shown in the help.
//
// A kind has kArgument (getopt's word for whether it takes one), Take, which returns false when it
// refuses the value, and Show, whose empty answer means that there is no default to speak of.
//
// Numbers are read as memcached reads them, with atoi and atof: blanks before, anything behind, and
// what is no number at all counts as 0. A stricter reader would refuse to start where memcached
// runs. What does not fit the type is taken as the nearest number that does.
//
// Threads  pure functions.
// Not here the table: settings.def; the walk over the command line: cli.cc
#pragma once

#include <fmt/format.h>
#include <getopt.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>

namespace larder::server::option_kinds {

template <typename Integer>
[[nodiscard]] Integer Lenient(const char* text, int base = 10) {
  const long long number = std::strtoll(text, nullptr, base);
  return static_cast<Integer>(std::clamp<long long>(number, std::numeric_limits<Integer>::min(),
                                                    std::numeric_limits<Integer>::max()));
}

struct TurnOn {
  static constexpr int kArgument = no_argument;
  static bool Take(const char*, bool* field) { return *field = true; }
  static std::string Show(bool) { return {}; }
};

struct TurnOff {
  static constexpr int kArgument = no_argument;
  static bool Take(const char*, bool* field) {
    *field = false;
    return true;
  }
  static std::string Show(bool) { return {}; }
};

struct CountUp {
  static constexpr int kArgument = optional_argument;  // `--verbose=2` is let through, as one more
  static bool Take(const char*, uint32_t* field) {
    ++*field;
    return true;
  }
  static std::string Show(uint32_t) { return {}; }
};

struct Text {
  static constexpr int kArgument = required_argument;
  static bool Take(const char* text, std::string* field) {
    *field = text;
    return true;
  }
  static std::string Show(const std::string& field) { return field; }
};

// Every use adds to the list.
struct TextList {
  static constexpr int kArgument = required_argument;
  static bool Take(const char* text, std::string* field) {
    if (!field->empty()) *field += ',';
    *field += text;
    return true;
  }
  static std::string Show(const std::string& field) { return field; }
};

struct Number {
  static constexpr int kArgument = required_argument;
  static bool Take(const char* text, int32_t* field) {
    *field = Lenient<int32_t>(text);
    return true;
  }
  static std::string Show(int32_t field) { return fmt::to_string(field); }
};

// Which numbers are ports is checked when all options are read: Settings::Check.
using PortNumber = Number;

struct PositiveNumber : Number {
  static bool Take(const char* text, int32_t* field) {
    *field = Lenient<int32_t>(text);
    return *field > 0;
  }
};

struct GrowthFactor {
  static constexpr int kArgument = required_argument;
  static bool Take(const char* text, double* field) {
    *field = std::strtod(text, nullptr);
    return *field > 1.0;
  }
  static std::string Show(double field) { return fmt::to_string(field); }
};

struct OctalMode {
  static constexpr int kArgument = required_argument;
  static bool Take(const char* text, uint32_t* field) {
    constexpr uint32_t kModeBits = 0777;
    *field = static_cast<uint32_t>(std::strtoul(text, nullptr, 8)) & kModeBits;
    return true;
  }
  static std::string Show(uint32_t field) { return fmt::format("{:o}", field); }
};

// A suffix counts only at the very end, so `1.5m` is 1 MiB and `1g` one byte, which is too small.
struct ItemBytes {
  static constexpr int kArgument = required_argument;
  static constexpr int64_t kKiB = 1024;
  static bool Take(const char* text, int64_t* field) {
    const std::string_view whole(text);
    const char suffix = whole.empty() ? '\0' : whole.back();
    *field = Lenient<int32_t>(text);
    if (suffix == 'k' || suffix == 'K') *field *= kKiB;
    if (suffix == 'm' || suffix == 'M') *field *= kKiB * kKiB;
    return true;
  }
  static std::string Show(int64_t field) {
    return field % (kKiB * kKiB) == 0 ? fmt::format("{}m", field / (kKiB * kKiB))
                                      : fmt::to_string(field);
  }
};

struct Delimiter {
  static constexpr int kArgument = required_argument;
  static bool Take(const char* text, char* field) {
    *field = text[0];
    return *field != '\0';
  }
  static std::string Show(char field) { return std::string(1, field); }
};

}  // namespace larder::server::option_kinds
