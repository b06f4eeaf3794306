// tests/slab/shared_writes/memory_trace.h - which cache lines a piece of code reads and writes.
//
// What is to be traced is compiled with -fsanitize=thread and linked without ThreadSanitizer: the
// compiler puts a call before every access to memory, atomic or not, and memory_trace.cc answers
// it by writing the line down. So nothing is left to whoever remembers to count: what the compiled
// code does is what is counted. Not seen are accesses inside the C library (memcpy of keys and
// values, which goes to a chunk that nobody else knows yet).
//
// Units    lines of 64 bytes, numbered by address / 64.
// Threads  one: the program plays its workers one after the other, so that counts repeat.
#pragma once

#include <cstdint>
#include <set>

namespace larder::slab {

using Line = uintptr_t;
inline constexpr uintptr_t kLineBytes = 64;
inline Line LineOf(const void* place) { return reinterpret_cast<uintptr_t>(place) / kLineBytes; }

struct Traced {
  std::set<Line> read;
  std::set<Line> written;  // read-modify-writes and exchanges that failed are here
};

// What `piece` reads and writes outside the stack.
void StartTrace(Traced* into);
void StopTrace();

template <typename Piece>
Traced Trace(const Piece& piece) {
  Traced traced;
  StartTrace(&traced);
  piece();
  StopTrace();
  return traced;
}

}  // namespace larder::slab
