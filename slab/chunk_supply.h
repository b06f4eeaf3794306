// slab/chunk_supply.h - the way of a chunk: from the free list through a worker's stock into an
// item, and back through limbo.
//
//        page pool -> class's free list -> stock -> (item) -> limbo -> stock or free list
//                           ^                          |
//                           '------ eviction <---------'
//
// Small chunks move in batches: one lock of the class queues a worker's new items for probation and
// fills its stock. An item that is removed or replaced needs no lock but its stripe's. While the
// pool is empty each refill also evicts ahead, so that a reserve of free chunks is there when the
// next batch is wanted and no store waits for readers to pass (the grace period of epoch.h).
//
// Threads  a Worker& argument: the calling thread has that worker's turn. Lock order: locks.h;
//          a class and a stripe are never locked together.
// Errors   null or false when there is nothing to be had; the caller decides (allocator.h).
// Not here taking pages from other classes: page_release.h
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "slab/locks.h"
#include "slab/slab_set.h"

namespace larder::slab {

class ChunkSupply {
 public:
  explicit ChunkSupply(SlabSet& slabs) : slabs_(slabs) {}

  // --- out -----------------------------------------------------------------------------------
  // A chunk of the worker's own, from the stock, the free list, what idle workers left behind, or
  // the pool, in this order. Evicts ahead when the class runs low, but does not wait: null when
  // nothing is free right now. The worker may pass quiescent states.
  [[nodiscard]] Item* Take(Worker& worker, SlabClass& slab_class);
  // The same without the pool and without evicting.
  [[nodiscard]] Item* TakeFree(Worker& worker, SlabClass& slab_class);
  [[nodiscard]] bool AddPageFromPool(SlabClass& slab_class);

  // --- items that come and go ----------------------------------------------------------------
  // This worker has just published `item` under a key with this hash.
  void Added(Worker& worker, Item* item, uint64_t hash);
  // This worker has taken `item` out of the index and saw `state` in that step.
  void Removed(Worker& worker, Item* item, uint8_t state);
  // Takes the item out if it is dead and still in the index, and retires it. False: somebody was
  // faster, or touched it back to life. REQUIRES: this on-line worker has seen that the item is
  // indexed.
  bool FreeIfDead(Worker& worker, uint64_t hash, Item* item);
  // The same, counted as found unasked.
  bool ReclaimIfDead(Worker& worker, uint64_t hash, Item* item);
  // Nobody can find the chunk any more; it is free once nobody can be reading it.
  void Retire(Worker& worker, Item* item);
  // A chunk that was never published is free at once.
  void GiveBack(Worker& worker, Item* item);

  // --- eviction ------------------------------------------------------------------------------
  // Retires up to `count` victims of the class; with evictions off, only items that are no longer
  // served. Returns how many.
  uint32_t Evict(Worker& worker, SlabClass& slab_class, uint32_t count);
  // Evicts one item and hands its chunk to the caller when no reader can have hold of it any more,
  // so that no other thread is faster: whoever evicts gets what he evicted. Null when there is no
  // victim, when its chunk is lent or its page on the way out, or when a reader does not pass
  // within kPatience. The worker passes quiescent states.
  [[nodiscard]] Item* EvictAndKeep(Worker& worker, SlabClass& slab_class);
  // Retires large items, one after the other, until their extents are `bytes` together. What is
  // lent to sockets at the moment goes too but is not counted, for its memory comes later. Returns
  // how many bytes are idle as soon as readers have passed.
  uint64_t EvictLarge(Worker& worker, uint64_t bytes);
  // Takes one item out of the index and retires it. False: somebody was faster.
  // REQUIRES: this on-line worker has seen that the item is indexed.
  bool Drop(Worker& worker, Item* item);
  // No stripe and no class is locked, and the item is not yet free.
  void TellEviction(const Item& item) const;
  void CountEvicted(Worker& worker, const Item& item) const;
  // Drops the items of a page for which `is_wanted(item)` holds. Does nothing if the page is no
  // longer the class's.
  template <typename IsWanted>
  void RemoveFromPage(Worker& worker, SlabClass& slab_class, PageId page,
                      const IsWanted& is_wanted);

  // --- coming home ---------------------------------------------------------------------------
  // Between two pieces of work: the worker holds no reference. Answers a pending request to give
  // everything back.
  void PassQuiescent(Worker& worker);
  // For a lock whose holder may be waiting for this worker's quiescent state.
  void LockPassingQuiescent(Worker& worker, Mutex& mutex) ACQUIRES_LOCK(mutex);
  void AnswerRequest(Worker& worker);
  // Frees what is in the worker's limbo and out of everybody's reach.
  void Collect(Worker& worker);
  // Settles all batches, returns the stock, leaves the limbo to everybody.
  void Drain(Worker& worker);
  // Drains workers that wait for events and have left something behind. `self`: the caller's.
  void DrainIdle(const Worker& self);
  // Brings home what this worker and idle ones have in limbo, as far as no busy one may be reading
  // it. The worker passes quiescent states.
  void CollectIdle(Worker& worker);
  // Until nobody can be reading what is out of reach now. The worker passes quiescent states.
  // False: not within kPatience.
  [[nodiscard]] bool AwaitReaders(Worker& worker);
  // Asks all workers to drain at their next quiescent state. Returns the request's number.
  uint64_t RequestDrain() { return drain_request_.fetch_add(1, std::memory_order_relaxed) + 1; }
  // Until every chunk that is on its way home is there: all workers have drained and a grace
  // period has passed. The calling worker passes quiescent states meanwhile. False: somebody
  // did not answer within kPatience, but what did come home is there.
  [[nodiscard]] bool Gather(Worker& worker);
  void CollectLeftovers();

 private:
  // Ten thousand times a turn's usual length: whoever takes longer is stuck.
  static constexpr std::chrono::milliseconds kPatience{1000};
  static constexpr uint32_t kLimboMax = 512;  // retired chunks before a collection is tried

  struct Victim {
    Item* item = nullptr;
    uint64_t hash = 0;
  };
  // Chooses up to victims.size() items that should leave, at most kBatchMax; returns how many.
  [[nodiscard]] uint32_t ChooseVictims(Worker& worker, SlabClass& slab_class,
                                       std::span<Victim> victims);
  [[nodiscard]] uint32_t ChooseOnProbation(Worker& worker, SlabClass& slab_class,
                                           std::span<Victim> victims);
  [[nodiscard]] uint32_t ChooseLocked(Worker& worker, SlabClass& slab_class,
                                      std::span<Victim> victims);
  // While no page is to be had, evicts at least `count_min`, and what the class's reserve lacks.
  void EvictAhead(Worker& worker, SlabClass& slab_class, uint32_t count_min);
  // A page of heads may be all but empty: looked at to its end before nobody is believed there.
  [[nodiscard]] Victim ChooseLargeVictim(Worker& worker, SlabClass& heads);
  // Takes one item out of the index; the chunk is the caller's to retire. False: somebody was
  // faster.
  [[nodiscard]] bool TakeOut(Worker& worker, const Victim& victim);
  bool DropVictim(Worker& worker, const Victim& victim);
  [[nodiscard]] Item* PopStock(Worker& worker, SlabClass& slab_class) const;
  void CountRemoved(Worker& worker, const Item& item, uint8_t state) const;
  void Settle(Worker& worker, SlabClass& slab_class);
  void SettleLocked(Worker& worker, SlabClass& slab_class) REQUIRES_LOCK(slab_class.mutex);
  void SealLimbo(Worker& worker);
  // Nobody looks at the chunk any more: its bytes are out of bounds.
  static void Clear(Item* chunk, const SlabClass& slab_class);
  void FreeChunk(Worker& worker, Handle handle);
  void FreeToClass(Handle handle);
  [[nodiscard]] bool IsLent(Handle handle) const;
  [[nodiscard]] Item* HandOut(SlabClass& slab_class, Handle handle) const;
  [[nodiscard]] bool EveryoneDrained(uint64_t request);

  SlabSet& slabs_;
  // Goes up by one with each request that all workers give everything back.
  std::atomic<uint64_t> drain_request_{0};

  Mutex leftovers_mutex_{LockRank::kLimbo};
  std::vector<RetiredChunk> leftovers_ GUARDED_BY(leftovers_mutex_);  // sealed
};

template <typename IsWanted>
void ChunkSupply::RemoveFromPage(Worker& worker, SlabClass& slab_class, PageId page,
                                 const IsWanted& is_wanted) {
  std::vector<Item*> wanted;
  {
    const MutexLock lock(slab_class.mutex);
    // Relaxed: a page changes hands under the mutexes of both its classes.
    const PageInfo& info = slabs_.arena.Info(page);
    if (info.class_id.load(std::memory_order_relaxed) != slab_class.Id()) return;
    slab_class.ForEachChunk(page, [&](Item* item) {
      if (item->IsIndexed() && is_wanted(*item)) wanted.push_back(item);
    });
  }
  for (Item* item : wanted) Drop(worker, item);
}

}  // namespace larder::slab
