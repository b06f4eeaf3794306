// slab/cache_impl.h - the parts of a Cache and the steps that its operations share.
//
// Threads  as cache.h; *Locked: under the stripe of the key's hash.
// Not here what an operation means to its caller: cache.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "slab/allocator.h"
#include "slab/cache.h"
#include "slab/chunk_supply.h"
#include "slab/event_sink.h"
#include "slab/large_allocator.h"
#include "slab/page_release.h"
#include "slab/rebalancer.h"
#include "slab/room_maker.h"
#include "slab/room_queue.h"
#include "slab/slab_set.h"
#include "slab/sweeper.h"
#include "slab/under_way.h"

namespace larder::slab {

class CacheImpl {
 public:
  CacheImpl(const CacheConfig& config, const Clock& clock, uint64_t hash_seed)
      : slabs(config, clock, hash_seed),
        supply(slabs),
        release(slabs, supply),
        allocator(supply, release),
        large_allocator(slabs, supply, release, allocator),
        room_maker(slabs, supply, large_allocator, room, under_way),
        rebalancer(slabs, release),
        rebalances(config.rebalance),
        maintainer(slabs.workers.Add(slabs.epochs)),
        room_worker(slabs.workers.Add(slabs.epochs)) {
    for (uint32_t number = 0; number < config.sweeper_count; ++number) {
      sweepers.emplace_back(slabs, supply, slabs.workers.Add(slabs.epochs),
                            Sweeper::Part{.number = number, .count = config.sweeper_count});
    }
  }

  SlabSet slabs;
  ChunkSupply supply;
  PageRelease release;
  Allocator allocator;
  LargeAllocator large_allocator;
  RoomQueue room;
  RoomMaker room_maker;
  Rebalancer rebalancer;
  std::deque<Sweeper> sweepers;  // each on a thread of its own
  // The first id given out is 2, as memcached's.
  // Every store of every thread writes it, so nothing else stands on its line.
  alignas(64) std::atomic<uint64_t> last_cas{1};
  // Chunks of reservations that wait for their values, see Cache::KeepUnderWay.
  alignas(64) UnderWay under_way;
  // Whether Maintain moves pages to where they are wanted.
  std::atomic<bool> rebalances;
  // Background work is done as this worker.
  Worker& maintainer;
  // Room is made as this one.
  Worker& room_worker;

  // Pages before this one have been purged since the last purge began; see cache_upkeep.cc.
  PageId purge_cursor GUARDED_BY(slabs.flush.mutex) = 0;

  // What was flushed is freed at once where that takes less than a millisecond: a small cache is
  // empty when flush_all is answered. From a larger one the sweeper takes it.
  void SweepIfSmall(Worker& worker);

  // What `stats reset` subtracts from then on.
  mutable Mutex baseline_mutex{LockRank::kRegistry};
  CacheStats baseline GUARDED_BY(baseline_mutex);

  // One id for each attempt to store, whether it succeeds or not, as memcached counts. Relaxed:
  // ids need to be different, and larger than those of stores that were over before.
  uint64_t NextCas() { return last_cas.fetch_add(1, std::memory_order_relaxed) + 1; }

  // --- finding -------------------------------------------------------------------------------
  // The live item under `key`, or null. A dead one is removed and counted.
  Item* Lookup(Worker& worker, uint64_t hash, std::string_view key);
  [[nodiscard]] FetchResult ResultOf(const Item* item) const;
  // Removes `item` unless somebody already has.
  void RemoveDead(Worker& worker, uint64_t hash, Item* item);
  void CountDead(Worker& worker, const Item& item) const;
  void MarkAccess(Item& item) const;
  // Somebody met the item under its key without being given it: a refused `add`.
  void MarkMet(Item& item) const;
  [[nodiscard]] ItemDetails DetailsOf(const Item& item) const;
  [[nodiscard]] Hit MakeHit(const Item& item) const;
  // The same for a value that may be large. Apart, so that nobody else pays for it.
  [[nodiscard, gnu::noinline]] Hit MakeLongHit(const Item& item) const;

  // Those who watch fetches are told of every look under a key, whatever it is for. Outside locks.
  [[nodiscard]] bool WatchesFetches() const {
    const EventSink* const events = slabs.config.events;
    return events != nullptr && events->Wants(EventSink::kFetches);
  }
  void TellNextFetch(const Worker& worker, uint64_t hash, std::string_view key) const;
  void TellFetch(const Worker& worker, std::string_view key, const Item* item,
                 FetchResult result) const;

  // --- making room ---------------------------------------------------------------------------
  // A formatted item whose value is still to be written; null and why.
  Item* NewItem(Worker& worker, const ItemSpec& spec, ReserveStatus* status);
  // The same for `bytes` that fit no chunk.
  Item* NewLargeItem(Worker& worker, const ItemSpec& spec, uint64_t bytes, ReserveStatus* status);
  // The same for a value that has to wait for its room.
  Item* NewWaitingItem(Worker& worker, const ItemSpec& spec, ReserveStatus* status);
  // For what is computed from an item; nothing is counted as a store.
  [[nodiscard]] Reservation ReserveResult(Worker& worker, const ItemSpec& spec);
  [[nodiscard]] RoomStatus TakeRoom(Worker& worker, Reservation& reservation);

  // --- publishing ----------------------------------------------------------------------------
  // What a change finds under its key; a dead item counts as none, but its slot is reused.
  struct Present {
    HashIndex::Slot slot;
    Item* live = nullptr;
    FetchResult result = FetchResult::kNotFound;
  };
  Present FindPresentLocked(Worker& worker, uint64_t hash, std::string_view key,
                            uint16_t generation);
  // What is left to do after the stripe is unlocked.
  struct Change {
    Item* added = nullptr;
    Item* removed = nullptr;
    uint8_t removed_state = 0;
    bool is_eviction = false;  // `removed` had another key
    bool index_is_overloaded = false;
  };
  // Puts `fresh` in the slot's place, or where there is none into the index. nullopt: with
  // evictions off, no room in the index. `generation`: what the decision to store was based on; a
  // flush that came between then takes the new item as well.
  std::optional<Change> PublishLocked(Worker& worker, uint64_t hash, const HashIndex::Slot& slot,
                                      Item* fresh, uint64_t cas, uint16_t generation);
  // Whether those who watch fetches know already that somebody looked under the key.
  enum class Look : uint8_t { kUntold, kTold };
  // Stores `fresh`, whose key has this hash, as `spec` asks, all but append and prepend. On any
  // status but kStored it is still the caller's.
  StoreResult Publish(Worker& worker, Item* fresh, uint64_t hash, const CommitSpec& spec,
                      Look look = Look::kUntold);
  // append, prepend. kUnfinished: the result has more than `at_once_bytes_max`, and nothing is
  // done.
  StoreResult ConcatenateOrVivify(Worker& worker, Item* sent, const CommitSpec& spec,
                                  uint32_t at_once_bytes_max, bool* sent_is_stored);
  // What is left to do and to answer when one has failed.
  StoreResult FailConcatenation(const CommitSpec& spec, StoreStatus why);
  Change RemoveLocked(uint64_t hash, const HashIndex::Slot& slot);
  void Conclude(Worker& worker, uint64_t hash, const Change& change);
};

}  // namespace larder::slab
