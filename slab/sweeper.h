// slab/sweeper.h - frees what has expired or was flushed without waiting for anybody to ask for it.
//
// Walks the arena in regions of 2 KiB (expiry_hints.h), in the order of addresses:
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
// Lateness  Where memory is scarce a region is due as soon as its earliest expiry has come: what is
//           dead takes the place of what is not. (With lives of 5 to 19 s in 64 MB that is 0.89 of
//           memcached's misses; three seconds later would be 0.93.) Where there are free pages it
//           is left alone for kLagWithRoomS, in which those who ask for it are told, and counted.
//           In a large cache a round of looks takes up to three seconds. Where so much is dead that
//           a step cannot free it, one step follows another until it is gone, on threads of a low
//           priority.
// Cost      What a visit waits for is main memory: headers, then keys and buckets of the index. So
//           headers are fetched a region ahead, and what several regions have dead is freed
//           together, each stage for all of it before the next. At 10 GiB (72 million items of 25
//           and 100 bytes, an hour to live, so that 20,000 expire a second) 1.8 % of a core.
// Parts     A large cache has several sweepers, each with a thread of its own: 16 pages in turn
//           belong to each, so that they do not write to the same line of the pages' records. No
//           two ever look at the same region: all of the above holds for each by itself. One frees
//           some six million items a second, and a flush or a second in which everything expires
//           should not take the longer, the larger the cache. (72 million at once are gone ten
//           seconds after their time with two.)
// Threads   one at a time for each sweeper, with a worker for it alone; the figures from any.
// Not here  items on the way of a read or an eviction: cache_impl.h, lru.h. How many sweepers there
//           are: cache_config.h. The 16-bit number of flushes, which wraps: cache_upkeep.cc.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include "slab/chunk_supply.h"

namespace larder::slab {

class Sweeper {
 public:
  // Of all groups of kPagesTogether pages, those whose number is `number` modulo `count`.
  struct Part {
    uint32_t number = 0;
    uint32_t count = 1;
  };
  Sweeper(SlabSet& slabs, ChunkSupply& supply, Worker& worker, Part part)
      : slabs_(slabs), supply_(supply), worker_(worker), part_(part) {}

  // What it works as; on-line during a step.
  [[nodiscard]] Worker& AsWorker() const { return worker_; }
  // The next bounded stretch; true when there is more that is due. The worker passes quiescent
  // states.
  [[nodiscard]] bool Step();

  [[nodiscard]] uint64_t FreedCount() const { return freed_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint64_t VisitedCount() const { return visited_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint64_t StepMicroseconds() const {
    return step_us_.load(std::memory_order_relaxed);
  }

 private:
  using SteadyClock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kStepMax{20};
  static constexpr uint32_t kLagWithRoomS = 1;
  // Regions on the list, 128 MiB: some 100 ms of work where all is dead.
  static constexpr size_t kListMax = 64 * 1024;
  static constexpr uint32_t kPagesTogether = 16;
  static constexpr uint32_t kRegionsTogether = kPagesTogether * ExpiryHints::kRegionsPerPage;
  // Steps in which all regions are looked at; fewer where that is little.
  static constexpr uint32_t kStepsPerRound = 32;
  static constexpr uint32_t kLooksMin = 8 * 1024;

  // Dead items that are freed together, but for what the last region adds: the bucket of the last
  // is on its way while the first is freed, and stays in the cache until its turn.
  static constexpr size_t kDeadBatch = 32;
  // And regions in which nothing is dead before the next quiescent state.
  static constexpr size_t kRegionsBatch = 64;

  struct Dead {
    Item* item;
    uint64_t hash;
  };

  [[nodiscard]] RegionId FirstRegion() const { return part_.number * kRegionsTogether; }
  // How many of the first `page_count` pages are in this part.
  [[nodiscard]] uint32_t OwnPages(uint32_t page_count) const;
  // The region of this part that comes `count` behind another, where that is on the same page or
  // else the first of its page.
  [[nodiscard]] RegionId Behind(RegionId region, uint32_t count) const;
  void StartFlushPassIfDue(uint32_t region_count);
  void ListDue(uint32_t region_count, uint32_t& looks_left);
  void ListForFlush();
  [[nodiscard]] bool GraceIsOver();
  void VisitSome();
  void Prefetch(RegionId region) const;
  void Visit(RegionId region);
  void FreeDead();

  SlabSet& slabs_;
  ChunkSupply& supply_;
  Worker& worker_;
  const Part part_;

  std::vector<RegionId> list_;  // cleared, to be visited when `list_stamp_` is over
  Epoch list_stamp_ = 0;
  RegionId next_look_ = FirstRegion();

  uint16_t flushed_generation_ = 0;        // as of the last pass that was begun
  RegionId next_flushed_ = FirstRegion();  // the pass is over when it has come to the end
  RegionId flush_end_ = 0;

  std::vector<Dead> dead_;  // of the regions visited, to be freed before the next quiescent state
  std::atomic<uint64_t> freed_{0};
  std::atomic<uint64_t> visited_{0};
  std::atomic<uint64_t> step_us_{0};  // in all steps so far
};

}  // namespace larder::slab
