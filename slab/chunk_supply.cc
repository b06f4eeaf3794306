// slab/chunk_supply.cc - handing out, linking, evicting. Coming home: chunk_return.cc
#include "slab/chunk_supply.h"

#include <algorithm>
#include <array>

#include "slab/event_sink.h"
#include "slab/poison.h"
#include "slab/race_window.h"

namespace larder::slab {

// --- out -----------------------------------------------------------------------------------------

Item* ChunkSupply::HandOut(SlabClass& slab_class, Handle handle) const {
  Item* const chunk = slabs_.ItemAt(handle);
  Unpoison(chunk, slab_class.ChunkBytes());
  return chunk;
}

Item* ChunkSupply::PopStock(Worker& worker, SlabClass& slab_class) const {
  auto& stock = worker.BatchesOf(slab_class.Id()).stock;
  return stock.Count() > 0 ? HandOut(slab_class, stock.Pop()) : nullptr;
}

Item* ChunkSupply::TakeFree(Worker& worker, SlabClass& slab_class) {
  if (Item* item = PopStock(worker, slab_class)) return item;
  std::array<Handle, kBatchMax> taken;
  uint32_t count = 0;
  {
    const MutexLock lock(slab_class.mutex);
    SettleLocked(worker, slab_class);
    count = slab_class.TakeFreeLocked({taken.data(), slab_class.BatchCount()});
  }
  if (count == 0) return nullptr;
  auto& stock = worker.BatchesOf(slab_class.Id()).stock;
  for (uint32_t i = 1; i < count; ++i) stock.Push(taken[i]);
  if (count > 1) worker.has_leftovers = true;
  return HandOut(slab_class, taken[0]);
}

bool ChunkSupply::AddPageFromPool(SlabClass& slab_class) {
  const std::optional<PageId> page = slabs_.pool.Take();
  if (!page) return false;
  const MutexLock lock(slab_class.mutex);
  slab_class.AddPageLocked(*page);
  return true;
}

Item* ChunkSupply::Take(Worker& worker, SlabClass& slab_class) {
  Item* item = PopStock(worker, slab_class);
  if (item != nullptr) return item;
  Collect(worker);
  item = TakeFree(worker, slab_class);
  if (item == nullptr && AddPageFromPool(slab_class)) item = TakeFree(worker, slab_class);
  bool runs_low = item == nullptr;
  if (!runs_low) {
    const MutexLock lock(slab_class.mutex);
    runs_low = slab_class.FreeCountLocked() < slab_class.ReserveTargetLocked();
  }
  if (runs_low && slabs_.pool.FreeCount() == 0) Evict(worker, slab_class, slab_class.BatchCount());
  return item;
}

// --- in and out of the lists ---------------------------------------------------------------------

void ChunkSupply::Link(Worker& worker, Item* item) {
  SlabClass& slab_class = slabs_.ClassOf(item);
  WorkerClassCounters& counters = worker.CountersOf(slab_class.Id());
  counters.items_added.Add();
  counters.bytes_added.Add(item->Bytes());
  worker.has_leftovers = true;
  auto& added = worker.BatchesOf(slab_class.Id()).added;
  added.Push(slabs_.arena.HandleOf(item));
  if (added.Count() >= slab_class.BatchCount()) Settle(worker, slab_class);
}

void ChunkSupply::CountRemoved(Worker& worker, const Item& item) const {
  WorkerClassCounters& counters = worker.CountersOf(slabs_.ClassOf(&item).Id());
  counters.items_removed.Add();
  counters.bytes_removed.Add(item.Bytes());
}

void ChunkSupply::Removed(Worker& worker, Item* item, uint8_t state) {
  CountRemoved(worker, *item);
  if (item_state::HolderOf(state) != Holder::kListed) return;  // the holder retires it
  RaceWindow(Window::kSwungOldStillListed);
  worker.has_leftovers = true;
  SlabClass& slab_class = slabs_.ClassOf(item);
  auto& removed = worker.BatchesOf(slab_class.Id()).removed;
  removed.Push(slabs_.arena.HandleOf(item));
  if (removed.Count() >= slab_class.BatchCount()) Settle(worker, slab_class);
}

void ChunkSupply::Settle(Worker& worker, SlabClass& slab_class) {
  const MutexLock lock(slab_class.mutex);
  SettleLocked(worker, slab_class);
}

void ChunkSupply::SettleLocked(Worker& worker, SlabClass& slab_class) {
  Worker::ClassBatches& batches = worker.BatchesOf(slab_class.Id());
  for (const Handle handle : batches.added) {
    Item* const item = slabs_.ItemAt(handle);
    uint8_t state = item->state.load(std::memory_order_relaxed);
    // Acq_rel against the remover's fetch_and: exactly one of us sees the other's step.
    while ((state & item_state::kIndexed) != 0 &&
           !item->state.compare_exchange_weak(state, item_state::With(state, Holder::kListed),
                                              std::memory_order_acq_rel,
                                              std::memory_order_relaxed)) {
    }
    if ((state & item_state::kIndexed) != 0) {
      slab_class.LruLocked().Link(item);
    } else {
      Retire(worker, item);  // removed before it was ever listed: ours to retire
    }
  }
  batches.added.Clear();
  for (const Handle handle : batches.removed) {
    Item* const item = slabs_.ItemAt(handle);
    slab_class.LruLocked().Unlink(item);
    Retire(worker, item);
  }
  batches.removed.Clear();
}

// --- eviction ------------------------------------------------------------------------------------

bool ChunkSupply::IsolateLocked(SlabClass& slab_class, Item* item) {
  uint8_t state = item->state.load(std::memory_order_relaxed);
  do {
    if ((state & item_state::kIndexed) == 0) return false;
    // Acq_rel against the remover's fetch_and: exactly one of us sees the other's step.
  } while (!item->state.compare_exchange_weak(state, item_state::With(state, Holder::kIsolated),
                                              std::memory_order_acq_rel,
                                              std::memory_order_relaxed));
  slab_class.LruLocked().Unlink(item);
  return true;
}

uint32_t ChunkSupply::Evict(Worker& worker, SlabClass& slab_class, uint32_t count) {
  std::array<Item*, kBatchMax> victims;
  uint32_t found = 0;
  const auto is_dead = [this](const Item& item) { return slabs_.IsDead(item); };
  WorkerClassCounters& counters = worker.CountersOf(slab_class.Id());
  {
    const MutexLock lock(slab_class.mutex);
    Lru& lru = slab_class.LruLocked();
    for (uint32_t i = 0; i < count; ++i) {
      const Lru::Scan scan = slabs_.config.evict ? lru.FindVictim(is_dead) : lru.FindDead(is_dead);
      counters.moves_to_warm.Add(scan.promoted_count);
      counters.moves_within_lru.Add(scan.rotated_count);
      if (scan.victim == nullptr) break;
      if (IsolateLocked(slab_class, scan.victim)) victims[found++] = scan.victim;
    }
  }
  RaceWindow(Window::kIsolatedStillIndexed);
  for (uint32_t i = 0; i < found; ++i) Finish(worker, victims[i]);
  return found;
}

void ChunkSupply::Finish(Worker& worker, Item* isolated) {
  const uint64_t hash = slabs_.index.Hash(isolated->Key());
  bool was_indexed = false;
  {
    const MutexLock lock(slabs_.index.StripeOf(hash));
    if (const HashIndex::Slot slot = slabs_.index.FindLocked(hash, isolated)) {
      slabs_.index.EraseLocked(hash, slot);
      // Relaxed: holder and remover are this thread.
      isolated->state.fetch_and(static_cast<uint8_t>(~item_state::kIndexed),
                                std::memory_order_relaxed);
      was_indexed = true;
    }
  }
  if (was_indexed) {
    TellEviction(*isolated);
    CountEvicted(worker, *isolated);
    CountRemoved(worker, *isolated);
  }
  Retire(worker, isolated);
}

void ChunkSupply::TellEviction(const Item& item) const {
  EventSink* const events = slabs_.config.events;
  if (events == nullptr || !events->Wants(EventSink::kEvictions) || slabs_.IsDead(item)) return;
  const uint32_t now_s = slabs_.clock.NowSeconds();
  const uint32_t expires_s = item.expires_s.load(std::memory_order_relaxed);
  events->OnEviction({.key = item.Key(),
                      .was_fetched = item.Access().Fetched(),
                      .ttl_s = expires_s == kNeverExpires ? -1 : int64_t{expires_s} - now_s,
                      .idle_s = now_s - item.Access().Second(),
                      .class_id = slabs_.ClassIdOf(&item),
                      .value_bytes = item.ValueBytes()});
}

void ChunkSupply::CountEvicted(Worker& worker, const Item& item) const {
  SlabClass& slab_class = slabs_.ClassOf(&item);
  WorkerClassCounters& counters = worker.CountersOf(slab_class.Id());
  const AccessMark mark = item.Access();
  if (slabs_.IsDead(item)) {
    counters.reclaimed.Add();
    if (!mark.Fetched()) counters.expired_unfetched.Add();
    return;
  }
  counters.evicted.Add();
  if (item.expires_s.load(std::memory_order_relaxed) != kNeverExpires) {
    counters.evicted_nonzero.Add();
  }
  if (!mark.Fetched()) counters.evicted_unfetched.Add();
  if (mark.Count() > 0) counters.evicted_active.Add();
  slab_class.NoteEvictedAge(slabs_.clock.NowSeconds() - mark.Second());
}

}  // namespace larder::slab
