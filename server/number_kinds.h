// server/number_kinds.h - the kinds of options whose values are numbers, or made of one.
//
// Numbers are read as memcached reads them. Most with atoi and atof: blanks before, anything
// behind, and what is no number at all counts as 0. A stricter reader would refuse to start where
// memcached runs. What does not fit the type is taken as the nearest number that does.
//
// Threads  pure functions.
// Not here what a kind has to have, and the other kinds: option_kinds.h
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "server/option_values.h"

namespace larder::server::option_kinds {

template <typename Integer>
[[nodiscard]] Integer Lenient(const char* text, int base = 10) {
  const long long number = std::strtoll(text, nullptr, base);
  return static_cast<Integer>(std::clamp<long long>(number, std::numeric_limits<Integer>::min(),
                                                    std::numeric_limits<Integer>::max()));
}

// The few numbers that memcached reads strictly: digits, with blanks around them at most.
template <typename Integer>
[[nodiscard]] std::optional<Integer> Strict(const char* text) {
  char* end = nullptr;
  const long long number = std::strtoll(text, &end, 10);
  if (end == text || (*end != '\0' && *end != ' ')) return std::nullopt;
  if (number < std::numeric_limits<Integer>::min()) return std::nullopt;
  if (number > std::numeric_limits<Integer>::max()) return std::nullopt;
  return static_cast<Integer>(number);
}

template <int32_t kMin, int32_t kMax>
struct NumberIn {
  static constexpr ArgumentShape kShape = ArgumentShape::kNumber;
  static bool Take(const char* text, int32_t* field, std::string*) {
    *field = Lenient<int32_t>(text);
    return *field >= kMin && *field <= kMax;
  }
  static void Deny(int32_t*) {}
  static std::string Show(int32_t field) { return fmt::to_string(field); }
};
using Number = NumberIn<INT32_MIN, INT32_MAX>;
using PortNumber = Number;  // which numbers are ports: Settings::Check
using PositiveNumber = NumberIn<1, INT32_MAX>;
using AutomoveWindow = NumberIn<3, 1800>;
using RepairTime = NumberIn<10, INT32_MAX>;
using CrawlerSleep = NumberIn<0, 1'000'000>;
using LruShare = NumberIn<1, 79>;

// `slab_automove` alone is 1.
struct AutomoveMode : NumberIn<0, 2> {
  static constexpr ArgumentShape kShape = ArgumentShape::kOptionalNumber;
  static bool Take(const char* text, int32_t* field, std::string* complaint) {
    return NumberIn::Take(text == nullptr ? "1" : text, field, complaint);
  }
  static void Deny(int32_t* field) { *field = 0; }
};

struct HashPower : Number {
  static bool Take(const char* text, int32_t* field, std::string* complaint) {
    constexpr int32_t kMin = 12;
    constexpr int32_t kMax = 32;
    *field = Lenient<int32_t>(text);
    if (*field < kMin) {
      *complaint = fmt::format("Initial hashtable multiplier of {} is too low", *field);
    } else if (*field > kMax) {
      *complaint = fmt::format(
          "Initial hashtable multiplier of {} is too high\nChoose a value based on \"STAT "
          "hash_power_level\" from a running instance",
          *field);
    }
    return *field >= kMin && *field <= kMax;
  }
  static std::string Show(int32_t) { return {}; }  // as memory asks for
};

struct StrictNumber {
  static constexpr ArgumentShape kShape = ArgumentShape::kNumber;
  static bool Take(const char* text, uint32_t* field, std::string*) {
    const std::optional<uint32_t> number = Strict<uint32_t>(text);
    *field = number.value_or(0);
    return number.has_value();
  }
  static void Deny(uint32_t* field) { *field = 0; }
  static std::string Show(uint32_t field) { return fmt::to_string(field); }
};

// The field counts bytes.
template <uint64_t kUnitBytes>
struct Multiple {
  static constexpr ArgumentShape kShape = ArgumentShape::kNumber;
  static bool Take(const char* text, uint64_t* field, std::string*) {
    const std::optional<uint32_t> number = Strict<uint32_t>(text);
    *field = number.value_or(0) * kUnitBytes;
    return number.has_value();
  }
  static void Deny(uint64_t* field) { *field = 0; }
  static std::string Show(uint64_t field) { return fmt::to_string(field / kUnitBytes); }
};
using Kilobytes = Multiple<1024>;
using Megabytes = Multiple<uint64_t{1024} * 1024>;

template <bool (*kAccepts)(double)>
struct RealWhich {
  static constexpr ArgumentShape kShape = ArgumentShape::kReal;
  static bool Take(const char* text, double* field, std::string*) {
    *field = std::strtod(text, nullptr);
    return kAccepts(*field);
  }
  static void Deny(double*) {}
  static std::string Show(double field) { return fmt::to_string(field); }
};
inline bool IsAboveOne(double value) { return value > 1.0; }
inline bool IsFraction(double value) { return value > 0.0 && value <= 1.0; }
inline bool IsPositive(double value) { return value > 0.0; }
using GrowthFactor = RealWhich<IsAboveOne>;
using Fraction = RealWhich<IsFraction>;
using PositiveReal = RealWhich<IsPositive>;

struct StrictReal : PositiveReal {
  static bool Take(const char* text, double* field, std::string*) {
    char* end = nullptr;
    *field = std::strtod(text, &end);
    return end != text && (*end == '\0' || *end == ' ');
  }
};

struct OctalMode {
  static constexpr ArgumentShape kShape = ArgumentShape::kText;
  static bool Take(const char* text, uint32_t* field, std::string*) {
    constexpr uint32_t kModeBits = 0777;
    *field = static_cast<uint32_t>(std::strtoul(text, nullptr, 8)) & kModeBits;
    return true;
  }
  static void Deny(uint32_t*) {}
  static std::string Show(uint32_t field) { return fmt::format("{:04o}", field); }
};

// A suffix counts only at the very end, so `1.5m` is 1 MiB and `1g` one byte, which is too small.
struct ItemBytes {
  static constexpr ArgumentShape kShape = ArgumentShape::kSize;
  static constexpr int64_t kKiB = 1024;
  static bool Take(const char* text, int64_t* field, std::string*) {
    const std::string_view whole(text);
    const char suffix = whole.empty() ? '\0' : whole.back();
    *field = Lenient<int32_t>(text);
    if (suffix == 'k' || suffix == 'K') *field *= kKiB;
    if (suffix == 'm' || suffix == 'M') *field *= kKiB * kKiB;
    return true;
  }
  static void Deny(int64_t*) {}
  static std::string Show(int64_t field) {
    return field % (kKiB * kKiB) == 0 ? fmt::format("{}m", field / (kKiB * kKiB))
                                      : fmt::to_string(field);
  }
};

struct ChunkKilobytes {
  static constexpr ArgumentShape kShape = ArgumentShape::kNumber;
  static constexpr int32_t kKiB = 1024;
  static bool Take(const char* text, ChunkMax* field, std::string* complaint) {
    const std::optional<int32_t> number = Strict<int32_t>(text);
    if (!number) return false;
    if (*number <= 0) *complaint = "slab_chunk_max must be >= 0";
    if (*number > kKiB) *complaint = "slab_chunk_max must be specified in kilobytes.";
    if (*number <= 0 || *number > kKiB) return false;
    *field = {*number * kKiB, true};
    return true;
  }
  static void Deny(ChunkMax*) {}
  static std::string Show(const ChunkMax& field) { return fmt::to_string(field.bytes / kKiB); }
};

struct TemporarySeconds {
  static constexpr ArgumentShape kShape = ArgumentShape::kNumber;
  static bool Take(const char* text, TemporaryTtl* field, std::string*) {
    *field = {static_cast<uint32_t>(Lenient<int32_t>(text)), true};
    return true;
  }
  static void Deny(TemporaryTtl* field) { *field = {}; }
  static std::string Show(const TemporaryTtl&) { return {}; }
};

}  // namespace larder::server::option_kinds
