// protocol/word_scan.h - where a word ends, sixteen bytes at a time.
//
// Keys have 10 to 40 bytes and are looked for several times a request: two or three comparisons
// here, where a call of memchr costs more than its work. SSE2 is part of every x86-64, so there is
// nothing to choose at run time, and wider registers would find most words in one step as well as
// in two; other processors take the bytes one by one.
//
// Threads  pure functions.
// Not here what words mean: tokens.h
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace larder::protocol {

namespace internal {

// What is looked for: matches one byte, and marks the matching ones of sixteen.
struct IsSpace {
  [[nodiscard]] static bool Matches(char byte) { return byte == ' '; }
#if defined(__SSE2__)
  [[nodiscard]] static __m128i Mark(__m128i bytes) {
    return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(' '));
  }
#endif
};

struct IsSpaceOrControl {
  [[nodiscard]] static bool Matches(char byte) { return static_cast<unsigned char>(byte) <= ' '; }
#if defined(__SSE2__)
  [[nodiscard]] static __m128i Mark(__m128i bytes) {
    return _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(' ')), bytes);
  }
#endif
};

#if defined(__SSE2__)
// Bit n is set if byte n of the sixteen at `from` matches.
template <typename What>
[[nodiscard]] uint32_t MatchSixteen(const char* from) {
  __m128i bytes;
  std::memcpy(&bytes, from, sizeof(bytes));
  return static_cast<uint32_t>(_mm_movemask_epi8(What::Mark(bytes)));
}
#endif

template <typename What>
[[nodiscard]] inline size_t Find(std::string_view text, size_t at) {
#if defined(__SSE2__)
  constexpr size_t kStep = 16;
  for (; text.size() - at >= kStep; at += kStep) {
    const uint32_t matches = MatchSixteen<What>(text.data() + at);
    if (matches != 0) return at + static_cast<size_t>(std::countr_zero(matches));
  }
  // The rest is the end of the last sixteen bytes.
  if (at < text.size() && text.size() >= kStep) {
    const size_t seen = kStep - (text.size() - at);
    const uint32_t matches = MatchSixteen<What>(text.data() + text.size() - kStep) >> seen;
    return matches != 0 ? at + static_cast<size_t>(std::countr_zero(matches)) : text.size();
  }
#endif
  while (at < text.size() && !What::Matches(text[at])) ++at;
  return at;
}

}  // namespace internal

// Place of the first byte at or behind `at` that is a space or a control byte; text.size() if there
// is none. REQUIRES: at <= text.size()
[[nodiscard]] inline size_t FindWordEnd(std::string_view text, size_t at) {
  return internal::Find<internal::IsSpaceOrControl>(text, at);
}

// Place of the first space at or behind `at`; text.size() if there is none.
// REQUIRES: at <= text.size()
[[nodiscard]] inline size_t FindSpace(std::string_view text, size_t at) {
  return internal::Find<internal::IsSpace>(text, at);
}

}  // namespace larder::protocol
