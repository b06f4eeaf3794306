#include "slab/relocation.h"

#include <optional>

#include "slab/race_window.h"

namespace larder::slab {

namespace {

// The state that the item had and its copy has now.
std::optional<uint8_t> Swing(SlabSet& slabs, uint64_t hash, Item* old, Item* room) {
  const MutexLock lock(slabs.index.StripeOf(hash));
  const HashIndex::Slot slot = slabs.index.FindLocked(hash, old);
  if (!slot) return std::nullopt;
  const uint8_t state = old->ClearIndexed();
  room->CopyChangingParts(*old);
  // Release: evictors look at chunks without the index, and read what they see is indexed.
  room->state.store(state, std::memory_order_release);
  slabs.index.SwingLocked(slot, room);
  return state;
}

}  // namespace

bool Relocate(SlabSet& slabs, ChunkSupply& supply, Worker& worker, Item* old, Item* room) {
  const uint64_t hash = slabs.index.Hash(old->Key());
  room->CopyFixedParts(*old);
  RaceWindow(Window::kCopiedNotSwung);
  const std::optional<uint8_t> state = Swing(slabs, hash, old, room);
  if (!state) return false;
  RaceWindow(Window::kSwungNotRetired);
  if ((*state & item_state::kProtected) != 0) {
    worker.CountersOf(slabs.ClassIdOf(room)).protected_added.Add();
  }
  worker.counters.slab_reassign_rescues.Add();
  supply.Added(worker, room, hash);
  supply.Removed(worker, old, *state);
  return true;
}

}  // namespace larder::slab
