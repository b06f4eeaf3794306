// slab/slab_class.h - one chunk size: its pages, its free chunks, its LRU order.
//
// Units    chunks of ChunkBytes(); class ids from 1.
// Owner    pages belong to the class from AddPageLocked until CompleteReleaseLocked. So long it
//          charges what its queue and the hints take beside each of them; the page itself the pool
//          charges.
// Threads  `mutex` (rank kClass) guards everything but the constants. Nothing is locked under it.
// Not here refilling and evicting: chunk_supply.h. Taking a page away: page_release.h.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "slab/free_list.h"
#include "slab/item.h"
#include "slab/locks.h"
#include "slab/lru.h"
#include "slab/memory_budget.h"
#include "slab/page_arena.h"

namespace larder::slab {

class SlabClass {
 public:
  // Whether workers may keep a stock of small chunks.
  enum class Stock : uint8_t { kOfSmallChunks, kNone };
  SlabClass(PageArena& arena, MemoryBudget& budget, uint32_t class_id, uint32_t chunk_bytes,
            Stock stock = Stock::kOfSmallChunks);

  mutable Mutex mutex{LockRank::kClass};

  [[nodiscard]] uint32_t Id() const { return class_id_; }
  [[nodiscard]] uint32_t ChunkBytes() const { return chunk_bytes_; }
  [[nodiscard]] uint32_t ChunksPerPage() const { return kPageBytes / chunk_bytes_; }
  // What the budget is charged for a page of the class beside the page: probation's queue, hints of
  // expiry.
  [[nodiscard]] uint64_t BytesBesidePage() const;
  // How many chunks move at once between this class and a worker: fewer of large ones, one of
  // the largest, so that a worker's stock never holds back much memory.
  [[nodiscard]] uint32_t BatchCount() const { return batch_count_; }
  // Whether workers keep a stock at all; chunks that move one by one would only lie about.
  [[nodiscard]] bool IsStocked() const { return batch_count_ > 1; }

  // --- chunks --------------------------------------------------------------------------------
  // Takes the page in and puts its chunks on the free list.
  void AddPageLocked(PageId page) REQUIRES_LOCK(mutex);
  // Up to out.size() free chunks; returns how many.
  [[nodiscard]] uint32_t TakeFreeLocked(std::span<Handle> out) REQUIRES_LOCK(mutex);
  // A chunk that nobody can reach comes home.
  void GiveFreeLocked(Handle chunk) REQUIRES_LOCK(mutex);
  [[nodiscard]] uint64_t FreeCountLocked() const REQUIRES_LOCK(mutex) { return free_.Count(); }
  // How many free chunks the reserve lacks. While the cache is full a class keeps some ready, so
  // that a store seldom waits for readers to pass: 1/512 of it, bounded; none of few chunks.
  [[nodiscard]] uint64_t MissingReserveLocked() const REQUIRES_LOCK(mutex);
  // Chunks that are not on the free list.
  [[nodiscard]] uint64_t UsedCountLocked() const REQUIRES_LOCK(mutex) {
    const uint64_t chunk_count = pages_.size() * ChunksPerPage();
    return chunk_count - std::min(free_.Count(), chunk_count);
  }
  [[nodiscard]] uint64_t PageCountLocked() const REQUIRES_LOCK(mutex) { return pages_.size(); }
  [[nodiscard]] const std::vector<PageId>& PagesLocked() const REQUIRES_LOCK(mutex) {
    return pages_;
  }

  [[nodiscard]] Lru& LruLocked() REQUIRES_LOCK(mutex) { return lru_; }
  [[nodiscard]] const Lru& LruLocked() const REQUIRES_LOCK(mutex) { return lru_; }

  // For the statistics: how long ago the latest victim was last accessed. Last writer wins. Written
  // only when it changes, since all workers share it.
  void NoteEvictedAge(uint32_t age_s) {
    if (EvictedAgeSeconds() != age_s) evicted_age_s_.store(age_s, std::memory_order_relaxed);
  }
  [[nodiscard]] uint32_t EvictedAgeSeconds() const {
    return evicted_age_s_.load(std::memory_order_relaxed);
  }

  // --- giving up a page, step by step (page_release.h) ----------------------------------------
  // Sets the page's free chunks aside; those that come free from now on stay aside too.
  void StartReleaseLocked(PageId page) REQUIRES_LOCK(mutex);
  [[nodiscard]] bool IsReleasableLocked(PageId page) const REQUIRES_LOCK(mutex);
  // REQUIRES: IsReleasableLocked(page). The class forgets the page.
  void CompleteReleaseLocked(PageId page) REQUIRES_LOCK(mutex);
  // The chunks set aside are free again. Items that were removed stay removed.
  void AbortReleaseLocked(PageId page) REQUIRES_LOCK(mutex);

  // Visits every chunk of a page.
  template <typename Visit>
  void ForEachChunk(PageId page, const Visit& visit) const {
    char* const begin = arena_.PageBegin(page);
    for (uint32_t i = 0; i < ChunksPerPage(); ++i) {
      visit(reinterpret_cast<Item*>(begin + static_cast<size_t>(i) * chunk_bytes_));
    }
  }

 private:
  static constexpr uint32_t kBatchBytes = 16 * 1024;
  static constexpr uint64_t kReserveDivisor = 512;
  static constexpr uint64_t kReserveMax = 1024;

  FreeList free_ GUARDED_BY(mutex);
  std::vector<PageId> pages_ GUARDED_BY(mutex);
  Lru lru_ GUARDED_BY(mutex);

  // Read by all at every store, so on other lines than what changes under the mutex. The age
  // changes once a second or so.
  alignas(64) PageArena& arena_;
  MemoryBudget& budget_;
  const uint32_t class_id_;
  const uint32_t chunk_bytes_;
  const uint32_t batch_count_;
  std::atomic<uint32_t> evicted_age_s_{0};
};

}  // namespace larder::slab
