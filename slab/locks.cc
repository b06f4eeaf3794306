#include "slab/locks.h"

#include <array>
#include <cassert>

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
