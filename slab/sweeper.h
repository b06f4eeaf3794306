// slab/sweeper.h - frees what has expired or was flushed without waiting for anybody to ask for it.
//
// Walks the arena in regions of 8 KiB (expiry_hints.h), in the order of addresses:
//
//   Look     through the regions' earliest expiries. Those that are due are cleared and put on a
//            list; after a flush all regions of all pages are
//   Wait     for a grace period (epoch.h). A worker publishes an item, or writes its expiry, and
//            then notes the expiry in the same turn. If it noted before the region was cleared, its
//            turn is over after the grace period, so that the item is seen; if after, the note
//            stays. So no expiry is lost, though stores neither fence nor lock for it. Nor is an
//            item of an old generation: it was published in a turn that began before the flush
//   Visit    every chunk of the listed regions by its header, without a lock, because a page cannot
//            change hands before this worker's next quiescent state (page_release.h). What is dead
//            is taken out under its stripe like any removal; the earliest expiry of what is alive
//            is noted
//
// Lateness  A region is due kLagS after its earliest expiry: one visit frees what expires in those
//           seconds. Until a region is kLateS overdue a step takes kQuietStep, of the tenth of a
//           second between two; after that, and after a flush, kBusyStep until it has caught up.
// Threads   the maintainer's thread; the figures from any.
// Not here  items on the way of a read or an eviction: cache_impl.h, lru.h. The 16-bit number of
//           flushes, which wraps: cache_upkeep.cc.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include "slab/chunk_supply.h"

namespace larder::slab {

class Sweeper {
 public:
  Sweeper(SlabSet& slabs, ChunkSupply& supply) : slabs_(slabs), supply_(supply) {}

  // The next bounded stretch. The worker passes quiescent states.
  void Step(Worker& worker);
  // Takes the item out if it is dead and still in the index. False: somebody was faster, or touched
  // it back to life. REQUIRES: this on-line worker has seen that the item is indexed.
  bool FreeIfDead(Worker& worker, uint64_t hash, Item* item);

  [[nodiscard]] uint64_t FreedCount() const { return freed_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint64_t VisitedCount() const { return visited_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint64_t StepMicroseconds() const {
    return step_us_.load(std::memory_order_relaxed);
  }

 private:
  using SteadyClock = std::chrono::steady_clock;
  static constexpr uint32_t kLagS = 3;
  static constexpr uint32_t kLateS = 5;
  static constexpr std::chrono::microseconds kQuietStep{1'500};
  static constexpr std::chrono::microseconds kBusyStep{40'000};
  // Regions on the list: what a busy step can visit if little of it is dead, 128 MiB.
  static constexpr size_t kListMax = 16 * 1024;
  // Steps in which all regions are looked at; fewer where that is little.
  static constexpr uint32_t kStepsPerRound = 16;
  static constexpr uint32_t kLooksMin = 32 * 1024;

  struct Dead {
    Item* item;
    uint64_t hash;
  };

  void StartFlushPassIfDue(uint32_t region_count);
  void ListDue(uint32_t region_count, uint32_t& looks_left);
  void ListForFlush();
  [[nodiscard]] bool GraceIsOver(Worker& worker);
  [[nodiscard]] SteadyClock::duration StepMax() const;
  void Prefetch(RegionId region) const;
  void Visit(Worker& worker, RegionId region);
  void FreeDead(Worker& worker, uint32_t class_id);

  SlabSet& slabs_;
  ChunkSupply& supply_;

  std::vector<RegionId> list_;  // cleared, to be visited when `list_stamp_` is over
  Epoch list_stamp_ = 0;
  uint32_t list_earliest_s_ = 0;  // the most overdue of them
  RegionId next_look_ = 0;

  uint16_t flushed_generation_ = 0;  // as of the last pass that was begun
  RegionId next_flushed_ = 0;        // the pass is over when it has come to the end
  RegionId flush_end_ = 0;

  std::vector<Dead> dead_;  // of the region visited
  std::atomic<uint64_t> freed_{0};
  std::atomic<uint64_t> visited_{0};
  std::atomic<uint64_t> step_us_{0};  // in all steps so far
};

}  // namespace larder::slab
