// server/option_kinds.h - the kinds of options in settings.def and extended_settings.def: how an
// argument is read, and how a default is shown.
//
// A kind has
//   kShape  what a configuration file may give it, and whether it takes an argument at all
//   Take    reads an argument. Null is none, for those that can do without. False refuses it;
//           `complaint` holds the row's words, which kinds with better ones replace.
//   Deny    what `name = false` in a configuration file does
//   Show    the value for people; empty when there is none to speak of
//
// Threads  pure functions.
// Not here the tables, and which kind a row has: settings.def, extended_settings.def; kinds of
//          numbers: number_kinds.h
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/number_kinds.h"
#include "server/option_values.h"
#include "server/os/log.h"

namespace larder::server::option_kinds {

template <bool kValue>
struct Turn {
  static constexpr ArgumentShape kShape = ArgumentShape::kNone;
  static bool Take(const char*, bool* field, std::string*) {
    *field = kValue;
    return true;
  }
  static void Deny(bool* field) { *field = !kValue; }
  static std::string Show(bool) { return {}; }
};
using TurnOn = Turn<true>;
using TurnOff = Turn<false>;

struct CountUp {
  static constexpr ArgumentShape kShape = ArgumentShape::kCount;
  // `--verbose=2` is let through, as one more.
  static bool Take(const char*, uint32_t* field, std::string*) {
    ++*field;
    return true;
  }
  static void Deny(uint32_t* field) { *field = 0; }
  static std::string Show(uint32_t) { return {}; }
};

struct Text {
  static constexpr ArgumentShape kShape = ArgumentShape::kText;
  static bool Take(const char* text, std::string* field, std::string*) {
    *field = text;
    return true;
  }
  static void Deny(std::string* field) { field->clear(); }
  static std::string Show(const std::string& field) { return field; }
};

// Numbers with dashes between them; what they may be: Settings::ParseSlabSizes.
struct SizeList : Text {
  static constexpr int kExitCode = 64;
  static bool Take(const char* text, std::string* field, std::string*) {
    *field = text;
    return field->find_first_not_of('-') != std::string::npos;
  }
};

// Every use adds to the list.
struct TextList : Text {
  static constexpr ArgumentShape kShape = ArgumentShape::kList;
  static bool Take(const char* text, std::string* field, std::string*) {
    if (!field->empty()) *field += ',';
    *field += text;
    return true;
  }
};

struct Delimiter {
  static constexpr ArgumentShape kShape = ArgumentShape::kText;
  static bool Take(const char* text, PrefixDelimiter* field, std::string*) {
    *field = {text[0], true};
    return field->byte != '\0';
  }
  static void Deny(PrefixDelimiter* field) { *field = {}; }
  static std::string Show(const PrefixDelimiter& field) { return std::string(1, field.byte); }
};

// One of a few words. kWords[i] is the value of number i.
template <typename Value, size_t kCount>
struct OneOf {
  static constexpr ArgumentShape kShape = ArgumentShape::kText;
  using Words = std::array<std::string_view, kCount>;
  static bool TakeWord(const Words& words, const char* text, Value* field) {
    const auto* const found = std::find(words.begin(), words.end(), text);
    if (found == words.end()) return false;
    *field = static_cast<Value>(found - words.begin());
    return true;
  }
  static void Deny(Value*) {}
};

struct ProtocolName : OneOf<ProtocolChoice, 3> {
  static constexpr int kExitCode = 64;
  static constexpr Words kWords = {"auto", "ascii", "binary"};
  static bool Take(const char* text, ProtocolChoice* field, std::string* complaint) {
    *complaint = fmt::format(
        "Invalid value for binding protocol: {}\n -- should be one of auto, binary, or ascii",
        text);
    return TakeWord(kWords, text, field);
  }
  static std::string Show(ProtocolChoice field) {
    return std::string(kWords[static_cast<size_t>(field)]);
  }
};

struct LogFormName : OneOf<Log::Form, 2> {
  static constexpr Words kWords = {"text", "json"};
  static bool Take(const char* text, Log::Form* field, std::string*) {
    return TakeWord(kWords, text, field);
  }
  static std::string Show(Log::Form field) {
    return std::string(kWords[static_cast<size_t>(field)]);
  }
};

// A word of memcached's that means nothing here, but has to be one.
struct HashName : Text {
  static bool Take(const char* text, std::string* field, std::string*) {
    *field = text;
    return *field == "jenkins" || *field == "murmur3" || *field == "xxh3";
  }
  static void Deny(std::string*) {}
};

}  // namespace larder::server::option_kinds
