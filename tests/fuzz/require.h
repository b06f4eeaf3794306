// tests/fuzz/require.h - what every fuzzer asks of what it drives.
#pragma once

#include <cstdlib>
#include <string_view>

namespace larder::fuzz {

// libFuzzer keeps the input of a run that aborts.
inline void Require(bool condition) {
  if (!condition) std::abort();
}

inline bool IsWithin(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace larder::fuzz
