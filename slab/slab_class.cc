#include "slab/slab_class.h"

#include <algorithm>
#include <cassert>
#include <new>

#include "slab/expiry_hints.h"
#include "slab/poison.h"
#include "slab/worker.h"

namespace larder::slab {

SlabClass::SlabClass(PageArena& arena, MemoryBudget& budget, uint32_t class_id,
                     uint32_t chunk_bytes, Stock stock)
    : free_(arena),
      lru_(arena, pages_, class_id, chunk_bytes),
      arena_(arena),
      budget_(budget),
      class_id_(class_id),
      chunk_bytes_(chunk_bytes),
      batch_count_(stock == Stock::kNone ? 1
                                         : std::clamp(kBatchBytes / chunk_bytes, 1U, kBatchMax)) {}

// The header of a free chunk stays readable: it links the free list, and page release reads the
// state of every chunk of a page. Everything behind it is poisoned.
void SlabClass::AddPageLocked(PageId page) {
  PageInfo& info = arena_.Info(page);
  info.draining.store(false, std::memory_order_relaxed);
  arena_.FreeCount(page) = 0;
  Unpoison(arena_.PageBegin(page), kPageBytes);
  pages_.push_back(page);
  budget_.Charge(BytesBesidePage());
  ForEachChunk(page, [this](Item* chunk) {
    new (chunk) Item{};
    Poison(chunk + 1, chunk_bytes_ - sizeof(Item));
  });
  // Release: pairs with the sweeper's acquire; it goes through the chunks without the mutex.
  info.class_id.store(static_cast<uint8_t>(class_id_), std::memory_order_release);
  // Last to first, so that the first of the page is taken first.
  for (uint32_t i = ChunksPerPage(); i-- > 0;) {
    GiveFreeLocked(arena_.HandleOf(arena_.PageBegin(page) + size_t{i} * chunk_bytes_));
  }
}

uint32_t SlabClass::TakeFreeLocked(std::span<Handle> out) {
  uint32_t taken = 0;
  for (; taken < out.size() && free_.Count() > 0; ++taken) {
    Item* const chunk = free_.Pop();
    // Relaxed: kFree is read under the class's mutex only.
    chunk->state.store(0, std::memory_order_relaxed);
    out[taken] = arena_.HandleOf(chunk);
    --arena_.FreeCount(arena_.PageOf(out[taken]));
  }
  return taken;
}

void SlabClass::GiveFreeLocked(Handle handle) {
  auto* const chunk = reinterpret_cast<Item*>(arena_.At(handle));
  const PageId page = arena_.PageOf(handle);
  assert(chunk->state.load(std::memory_order_relaxed) == 0 && "freed once, held by nobody");
  chunk->state.store(item_state::kFree, std::memory_order_relaxed);
  ++arena_.FreeCount(page);
  if (!arena_.Info(page).draining.load(std::memory_order_relaxed)) free_.Push(chunk);
}

uint64_t SlabClass::BytesBesidePage() const {
  return Lru::QueueBytesPerPage(ChunksPerPage()) + ExpiryHints::kBytesPerPage;
}

uint64_t SlabClass::MissingReserveLocked() const {
  const uint64_t target = std::min(pages_.size() * ChunksPerPage() / kReserveDivisor, kReserveMax);
  return target - std::min(target, free_.Count());
}

void SlabClass::StartReleaseLocked(PageId page) {
  // Relaxed: GiveFreeLocked reads it under this mutex; elsewhere being late does no harm.
  arena_.Info(page).draining.store(true, std::memory_order_relaxed);
  ForEachChunk(page, [this](Item* chunk) UNCHECKED_LOCKING {
    if (chunk->state.load(std::memory_order_relaxed) == item_state::kFree) {
      free_.Remove(chunk);
    }
  });
}

bool SlabClass::IsReleasableLocked(PageId page) const {
  return arena_.FreeCount(page) == ChunksPerPage();
}

void SlabClass::CompleteReleaseLocked(PageId page) {
  assert(IsReleasableLocked(page));
  const auto place = std::find(pages_.begin(), pages_.end(), page);
  lru_.ForgetPage(static_cast<size_t>(place - pages_.begin()));
  pages_.erase(place);
  budget_.Return(BytesBesidePage());
  PageInfo& info = arena_.Info(page);
  info.class_id.store(0, std::memory_order_relaxed);
  info.draining.store(false, std::memory_order_relaxed);
  arena_.FreeCount(page) = 0;
}

void SlabClass::AbortReleaseLocked(PageId page) {
  arena_.Info(page).draining.store(false, std::memory_order_relaxed);
  ForEachChunk(page, [this](Item* chunk) UNCHECKED_LOCKING {
    if (chunk->state.load(std::memory_order_relaxed) == item_state::kFree) {
      free_.Push(chunk);
    }
  });
}

}  // namespace larder::slab
