// The functions that code compiled with -fsanitize=thread calls, by the names and signatures of
// GCC's and clang's interface. This file itself is compiled without it.
#include "tests/slab/shared_writes/memory_trace.h"

#include <pthread.h>

#include <atomic>

namespace larder::slab {
namespace {

Traced* trace = nullptr;
uintptr_t stack_begin = 0;
uintptr_t stack_end = 0;

void FindStack() {
  pthread_attr_t attributes;
  void* begin = nullptr;
  size_t bytes = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
  pthread_attr_getstack(&attributes, &begin, &bytes);
  pthread_attr_destroy(&attributes);
  stack_begin = reinterpret_cast<uintptr_t>(begin);
  stack_end = stack_begin + bytes;
}

void Note(std::set<Line> Traced::*kind, const volatile void* place) {
  const auto address = reinterpret_cast<uintptr_t>(place);
  if (trace == nullptr || (address >= stack_begin && address < stack_end)) return;
  Traced* const into = trace;
  trace = nullptr;  // the set's own memory is not what is asked for
  (into->*kind).insert(address / kLineBytes);
  trace = into;
}

void NoteRead(const volatile void* place) { Note(&Traced::read, place); }
void NoteWrite(const volatile void* place) { Note(&Traced::written, place); }
void NoteRange(std::set<Line> Traced::*kind, const void* place, size_t bytes) {
  const auto* const begin = static_cast<const char*>(place);
  for (size_t at = 0; at < bytes; at += kLineBytes) Note(kind, begin + at);
  if (bytes > 0) Note(kind, begin + bytes - 1);
}

}  // namespace

void StartTrace(Traced* into) {
  if (stack_end == 0) FindStack();
  trace = into;
}

void StopTrace() { trace = nullptr; }

}  // namespace larder::slab

// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
using larder::slab::NoteRange;
using larder::slab::NoteRead;
using larder::slab::NoteWrite;
using larder::slab::Traced;

#define TRACE_PLAIN(kind, Note)                       \
  void __tsan_##kind##1(void* place) { Note(place); } \
  void __tsan_##kind##2(void* place) { Note(place); } \
  void __tsan_##kind##4(void* place) { Note(place); } \
  void __tsan_##kind##8(void* place) { Note(place); } \
  void __tsan_##kind##16(void* place) { Note(place); }

#define TRACE_CHANGE(bits, Type, change)                                         \
  Type __tsan_atomic##bits##_##change(volatile Type* place, Type operand, int) { \
    NoteWrite(place);                                                            \
    return __atomic_##change(place, operand, __ATOMIC_SEQ_CST);                  \
  }

#define TRACE_EXCHANGE_IF(bits, Type, strength, is_weak)                                      \
  int __tsan_atomic##bits##_compare_exchange_##strength(volatile Type* place, Type* expected, \
                                                        Type desired, int, int) {             \
    NoteWrite(place);                                                                         \
    return __atomic_compare_exchange_n(place, expected, desired, is_weak, __ATOMIC_SEQ_CST,   \
                                       __ATOMIC_SEQ_CST)                                      \
               ? 1                                                                            \
               : 0;                                                                           \
  }

#define TRACE_ATOMIC(bits, Type)                                               \
  Type __tsan_atomic##bits##_load(const volatile Type* place, int) {           \
    NoteRead(place);                                                           \
    return __atomic_load_n(place, __ATOMIC_SEQ_CST);                           \
  }                                                                            \
  void __tsan_atomic##bits##_store(volatile Type* place, Type value, int) {    \
    NoteWrite(place);                                                          \
    __atomic_store_n(place, value, __ATOMIC_SEQ_CST);                          \
  }                                                                            \
  Type __tsan_atomic##bits##_exchange(volatile Type* place, Type value, int) { \
    NoteWrite(place);                                                          \
    return __atomic_exchange_n(place, value, __ATOMIC_SEQ_CST);                \
  }                                                                            \
  TRACE_CHANGE(bits, Type, fetch_add)                                          \
  TRACE_CHANGE(bits, Type, fetch_sub)                                          \
  TRACE_CHANGE(bits, Type, fetch_and)                                          \
  TRACE_CHANGE(bits, Type, fetch_or)                                           \
  TRACE_EXCHANGE_IF(bits, Type, strong, false)                                 \
  TRACE_EXCHANGE_IF(bits, Type, weak, true)

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit(void*) {}
void __tsan_atomic_thread_fence(int) { std::atomic_thread_fence(std::memory_order_seq_cst); }
void __tsan_vptr_update(void** place, void*) { NoteWrite(place); }
void __tsan_vptr_read(void** place) { NoteRead(place); }
void __tsan_read_range(void* place, size_t bytes) { NoteRange(&Traced::read, place, bytes); }
void __tsan_write_range(void* place, size_t bytes) { NoteRange(&Traced::written, place, bytes); }

TRACE_PLAIN(read, NoteRead)
TRACE_PLAIN(write, NoteWrite)
TRACE_PLAIN(unaligned_read, NoteRead)
TRACE_PLAIN(unaligned_write, NoteWrite)

TRACE_ATOMIC(8, uint8_t)
TRACE_ATOMIC(16, uint16_t)
TRACE_ATOMIC(32, uint32_t)
TRACE_ATOMIC(64, uint64_t)

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
