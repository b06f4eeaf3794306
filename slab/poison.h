// slab/poison.h - lets AddressSanitizer see into the arena: a free chunk is poisoned, so whoever
// reads one is caught at once. Empty in builds without it.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define LARDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LARDER_ASAN 1
#endif
#endif

#ifdef LARDER_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace larder::slab {

#ifdef LARDER_ASAN
inline void Poison(const volatile void* begin, size_t bytes) {
  __asan_poison_memory_region(begin, bytes);
}
inline void Unpoison(const volatile void* begin, size_t bytes) {
  __asan_unpoison_memory_region(begin, bytes);
}
#else
inline void Poison(const volatile void*, size_t) {}
inline void Unpoison(const volatile void*, size_t) {}
#endif

}  // namespace larder::slab
