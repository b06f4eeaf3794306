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
  std::optional<PageId> page = slabs_.pool.Take();
  // Idle memory is large values' as free chunks are their class's, but no more than is kept of it.
  while (!page && slabs_.extents.Trim() > 0) page = slabs_.pool.Take();
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
  if (item == nullptr) {
    // Rarely: a full class keeps a reserve. Nothing is evicted, and no page taken, for want of
    // chunks that only wait for somebody to look after them.
    CollectIdle(worker);
    item = TakeFree(worker, slab_class);
  }
  if (item == nullptr && AddPageFromPool(slab_class)) item = TakeFree(worker, slab_class);
  EvictAhead(worker, slab_class, item == nullptr ? slab_class.BatchCount() : 0);
  return item;
}

// --- items that come and go ----------------------------------------------------------------------

void ChunkSupply::Added(Worker& worker, Item* item, uint64_t hash) {
  SlabClass& slab_class = slabs_.ClassOf(item);
  WorkerClassCounters& counters = worker.CountersOf(slab_class.Id());
  counters.items_added.Add();
  counters.bytes_added.Add(item->Bytes());
  slabs_.NoteExpiry(*item);
  // Relaxed: nobody takes the bit away from an item.
  if ((item->state.load(std::memory_order_relaxed) & item_state::kProtected) != 0) return;
  worker.has_leftovers = true;
  auto& entries = worker.BatchesOf(slab_class.Id()).entries;
  entries.Push({slabs_.arena.HandleOf(item), Lru::HashPart(hash)});
  if (entries.Count() >= slab_class.BatchCount()) Settle(worker, slab_class);
}

void ChunkSupply::CountRemoved(Worker& worker, const Item& item, uint8_t state) const {
  WorkerClassCounters& counters = worker.CountersOf(slabs_.ClassIdOf(&item));
  counters.items_removed.Add();
  counters.bytes_removed.Add(item.Bytes());
  if ((state & item_state::kProtected) != 0) counters.protected_removed.Add();
}

void ChunkSupply::Removed(Worker& worker, Item* item, uint8_t state) {
  CountRemoved(worker, *item, state);
  RaceWindow(Window::kRemovedNotRetired);
  Retire(worker, item);
}

bool ChunkSupply::FreeIfDead(Worker& worker, uint64_t hash, Item* item) {
  uint8_t state = 0;
  {
    const MutexLock lock(slabs_.index.StripeOf(hash));
    const HashIndex::Slot slot = slabs_.index.FindLocked(hash, item);
    if (!slot || !slabs_.IsDead(*item)) return false;
    state = slabs_.index.EraseLocked(hash, slot);
  }
  Removed(worker, item, state);
  return true;
}

bool ChunkSupply::ReclaimIfDead(Worker& worker, uint64_t hash, Item* item) {
  const bool was_fetched = item->Access().Fetched();
  if (!FreeIfDead(worker, hash, item)) return false;
  WorkerClassCounters& counters = worker.CountersOf(slabs_.ClassIdOf(item));
  counters.crawler_reclaimed.Add();
  if (!was_fetched) counters.expired_unfetched.Add();
  return true;
}

void ChunkSupply::Settle(Worker& worker, SlabClass& slab_class) {
  const MutexLock lock(slab_class.mutex);
  SettleLocked(worker, slab_class);
}

void ChunkSupply::SettleLocked(Worker& worker, SlabClass& slab_class) {
  auto& entries = worker.BatchesOf(slab_class.Id()).entries;
  for (const ProbationEntry& entry : entries) {
    if (slab_class.LruLocked().Enter(entry))
      worker.CountersOf(slab_class.Id()).protected_added.Add();
  }
  entries.Clear();
}

// --- eviction ------------------------------------------------------------------------------------

void ChunkSupply::EvictAhead(Worker& worker, SlabClass& slab_class, uint32_t count_min) {
  if (slabs_.pool.FreeCount() > 0) return;
  uint64_t wanted = count_min;
  {
    const MutexLock lock(slab_class.mutex);
    // More than goes out meanwhile, so that the reserve fills again; but by and by, since what
    // readers keep in limbo for a moment is missing as well.
    const uint64_t missing = slab_class.MissingReserveLocked();
    wanted = std::max<uint64_t>(wanted, std::min<uint64_t>(missing, 2 * slab_class.BatchCount()));
  }
  if (wanted == 0) return;
  for (; wanted > kBatchMax; wanted -= kBatchMax) Evict(worker, slab_class, kBatchMax);
  Evict(worker, slab_class, static_cast<uint32_t>(wanted));
}

uint32_t ChunkSupply::ChooseVictims(Worker& worker, SlabClass& slab_class,
                                    std::span<Victim> victims) {
  uint32_t count = 0;
  if (slabs_.config.evict) count = ChooseOnProbation(worker, slab_class, victims);
  return count + ChooseLocked(worker, slab_class, victims.subspan(count));
}

// The mutex is held to take candidates off the queue; what they are, and whether they were read, is
// looked at without it.
uint32_t ChunkSupply::ChooseOnProbation(Worker& worker, SlabClass& slab_class,
                                        std::span<Victim> victims) {
  const auto is_dead = [this](const Item& item) { return slabs_.IsDead(item); };
  std::array<Lru::Candidate, kBatchMax> candidates;
  uint32_t chosen_count = 0;
  uint32_t promoted_count = 0;  // since the last victim
  while (chosen_count < victims.size()) {
    uint32_t count = 0;
    {
      const MutexLock lock(slab_class.mutex);
      Lru& lru = slab_class.LruLocked();
      const size_t missing = victims.size() - chosen_count;
      lru.PrefetchOldest(missing);
      count = lru.TakeOldest({candidates.data(), missing}, slab_class.UsedCountLocked());
    }
    if (count == 0) break;
    RaceWindow(Window::kTakenNotJudged);
    for (uint32_t i = 0; i < count; ++i) {
      uint64_t hash = 0;
      const auto hash_part = [&](const Item& item) {
        return Lru::HashPart(hash = slabs_.index.Hash(item.Key()));
      };
      const Lru::Verdict verdict = Lru::Judge(candidates[i], hash_part, is_dead, promoted_count);
      if (verdict == Lru::Verdict::kVictim) {
        victims[chosen_count++] = {candidates[i].item, hash};
        promoted_count = 0;
      } else if (verdict == Lru::Verdict::kPromoted) {
        worker.CountersOf(slab_class.Id()).moves_to_warm.Add();
        ++promoted_count;
      }
    }
  }
  return chosen_count;
}

// Those whom probation has not got: in the order of the hand; with evictions off only who is dead.
uint32_t ChunkSupply::ChooseLocked(Worker& worker, SlabClass& slab_class,
                                   std::span<Victim> victims) {
  if (victims.empty()) return 0;
  const auto is_dead = [this](const Item& item) { return slabs_.IsDead(item); };
  const auto hash_part = [this](const Item& item) {
    return Lru::HashPart(slabs_.index.Hash(item.Key()));
  };
  WorkerClassCounters& counters = worker.CountersOf(slab_class.Id());
  uint32_t count = 0;
  const MutexLock lock(slab_class.mutex);
  Lru& lru = slab_class.LruLocked();
  for (; count < victims.size(); ++count) {
    Lru::Scan scan;
    if (slabs_.config.evict) {
      scan = lru.FindVictim(hash_part, is_dead, slab_class.UsedCountLocked());
    } else {
      scan.victim = lru.FindDead(is_dead);
    }
    counters.moves_to_warm.Add(scan.promoted_count);
    counters.moves_within_lru.Add(scan.passed_count);
    if (scan.victim == nullptr) break;
    victims[count] = {scan.victim, slabs_.index.Hash(scan.victim->Key())};
  }
  return count;
}

// The victims of a batch are anywhere in the index: their lines are on their way together, before
// the first is needed.
uint32_t ChunkSupply::Evict(Worker& worker, SlabClass& slab_class, uint32_t count) {
  std::array<Victim, kBatchMax> victims;
  const uint32_t chosen = ChooseVictims(worker, slab_class, {victims.data(), count});
  RaceWindow(Window::kVictimsStillIndexed);
  for (uint32_t i = 0; i < chosen; ++i) slabs_.PrefetchForChange(victims[i].hash);
  uint32_t dropped = 0;
  for (uint32_t i = 0; i < chosen; ++i) dropped += DropVictim(worker, victims[i]) ? 1 : 0;
  return dropped;
}

Item* ChunkSupply::EvictAndKeep(Worker& worker, SlabClass& slab_class) {
  // Others may be after the same few items.
  constexpr int kTriesMax = 4;
  Item* victim = nullptr;
  for (int i = 0; i < kTriesMax && victim == nullptr; ++i) {
    Victim chosen;
    if (ChooseVictims(worker, slab_class, {&chosen, 1}) == 0) return nullptr;
    RaceWindow(Window::kVictimsStillIndexed);
    if (TakeOut(worker, chosen)) victim = chosen.item;
  }
  if (victim == nullptr) return nullptr;
  const Handle handle = slabs_.arena.HandleOf(victim);
  const bool is_free = AwaitReaders(worker) && !IsLent(handle);
  // Relaxed: seen late, the release finds the chunk in use and gives up.
  if (!is_free || slabs_.arena.InfoOf(handle).draining.load(std::memory_order_relaxed)) {
    Retire(worker, victim);
    return nullptr;
  }
  if (victim->IsLarge()) slabs_.extents.GiveBack(victim->Extent());
  victim->state.store(0, std::memory_order_relaxed);  // nobody looks at it any more
  return victim;
}

ChunkSupply::Victim ChunkSupply::ChooseLargeVictim(Worker& worker, SlabClass& heads) {
  uint64_t chunk_count = 0;
  {
    const MutexLock lock(heads.mutex);
    chunk_count = heads.PageCountLocked() * heads.ChunksPerPage();
  }
  Victim victim;
  for (uint64_t looked_at = 0; looked_at <= chunk_count; looked_at += Lru::kStepsMax) {
    if (ChooseVictims(worker, heads, {&victim, 1}) > 0) return victim;
  }
  return {};
}

uint64_t ChunkSupply::EvictLarge(Worker& worker, uint64_t bytes) {
  SlabClass& heads = slabs_.Class(slabs_.LargeClassId());
  uint64_t evicted_bytes = 0;
  for (uint32_t i = 0; i < kBatchMax && evicted_bytes < bytes; ++i) {
    const Victim victim = ChooseLargeVictim(worker, heads);
    if (victim.item == nullptr) break;
    RaceWindow(Window::kVictimsStillIndexed);
    const uint64_t victim_bytes = slabs_.extents.BytesOf(victim.item->Extent());
    const bool is_lent = IsLent(slabs_.arena.HandleOf(victim.item));
    if (DropVictim(worker, victim) && !is_lent) evicted_bytes += victim_bytes;
  }
  return evicted_bytes;
}

bool ChunkSupply::Drop(Worker& worker, Item* item) {
  return DropVictim(worker, {item, slabs_.index.Hash(item->Key())});
}

bool ChunkSupply::DropVictim(Worker& worker, const Victim& victim) {
  if (!TakeOut(worker, victim)) return false;
  RaceWindow(Window::kRemovedNotRetired);
  Retire(worker, victim.item);
  return true;
}

bool ChunkSupply::TakeOut(Worker& worker, const Victim& victim) {
  const auto [item, hash] = victim;
  uint8_t state = 0;
  {
    const MutexLock lock(slabs_.index.StripeOf(hash));
    const HashIndex::Slot slot = slabs_.index.FindLocked(hash, item);
    if (!slot) return false;
    state = slabs_.index.EraseLocked(hash, slot);
    const bool was_protected = (state & item_state::kProtected) != 0;
    if (!was_protected && !slabs_.IsDead(*item)) slabs_.ghost.RememberLocked(hash);
  }
  TellEviction(*item);
  CountEvicted(worker, *item);
  CountRemoved(worker, *item, state);
  return true;
}

void ChunkSupply::TellEviction(const Item& item) const {
  EventSink* const events = slabs_.config.events;
  if (events == nullptr || !events->Wants(EventSink::kEvictions) || slabs_.IsDead(item)) return;
  const uint32_t now_s = slabs_.clock.NowSeconds();
  const uint32_t expires_s = item.expires_s.load(std::memory_order_relaxed);
  events->OnEviction({.key = item.Key(),
                      .was_fetched = item.Access().Fetched(),
                      .ttl_s = expires_s == kNeverExpires ? -1 : int64_t{expires_s} - now_s,
                      .idle_s = item.Access().AgeTenths(slabs_.clock.NowTenths()) / 10,
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
  if (mark.WasRead()) counters.evicted_active.Add();
  const uint32_t age_ds = mark.AgeTenths(slabs_.clock.NowTenths());
  counters.evicted_age_ds.Add(age_ds);
  slab_class.NoteEvictedAge(age_ds / 10);
}

}  // namespace larder::slab
