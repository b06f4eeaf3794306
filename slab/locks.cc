#include "slab/locks.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cassert>

namespace larder::slab {

namespace {

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t), "the kernel looks at a word");

}  // namespace

// (The three states are those of Drepper's "Futexes are tricky".) A sleeper that is woken takes the
// lock as awaited, since it cannot know whether others sleep: at worst one wakes nobody in vain.
void Mutex::LockSlowly() {
  for (uint32_t look = 0; look < kLooksMax; ++look) {
    // A look before each try: many that wait share the line, until it is written.
    if (word_.load(std::memory_order_relaxed) == kFree && TryTake()) return;
    Pause();
  }
  // Acquire: see TryTake.
  while (word_.exchange(kHeldAwaited, std::memory_order_acquire) != kFree) {
    // Returns at once if the word is no longer that; woken for no reason, it is looked at again.
    syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, kHeldAwaited, nullptr, nullptr, 0);
  }
}

void Mutex::WakeOne() { syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0); }

}  // namespace larder::slab

namespace larder::slab::internal {

#ifndef NDEBUG
namespace {

// How many locks of each rank this thread holds. A thread's own bookkeeping, not shared state.
thread_local std::array<uint8_t, static_cast<size_t>(LockRank::kRegistry) + 1> held_by_rank{};

}  // namespace

void NoteLocked(LockRank rank, bool waited) {
  if (waited) {
    // One thread may play several workers, as tests do; their turns are not ordered.
    const size_t first_forbidden = static_cast<size_t>(rank) + (rank == LockRank::kTurn ? 1 : 0);
    for (size_t higher = first_forbidden; higher < held_by_rank.size(); ++higher) {
      assert(held_by_rank[higher] == 0 && "lock taken against its rank");
    }
  }
  ++held_by_rank[static_cast<size_t>(rank)];
}

void NoteUnlocked(LockRank rank) {
  assert(held_by_rank[static_cast<size_t>(rank)] > 0);
  --held_by_rank[static_cast<size_t>(rank)];
}
#endif

}  // namespace larder::slab::internal
