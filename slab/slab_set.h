// slab/slab_set.h - everything that items live in: arena, pool, classes, index, epochs. A plain
// bundle in the order of dependence, so that the parts that work on them take one reference.
//
// Owner    the cache. Threads: each part says its own rule.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <span>
#include <string_view>

#include "slab/cache_config.h"
#include "slab/clock.h"
#include "slab/epoch.h"
#include "slab/expiry.h"
#include "slab/expiry_hints.h"
#include "slab/extent_area.h"
#include "slab/flush_control.h"
#include "slab/ghost.h"
#include "slab/hash_index.h"
#include "slab/item.h"
#include "slab/memory_budget.h"
#include "slab/page_arena.h"
#include "slab/page_pool.h"
#include "slab/race_window.h"
#include "slab/reach.h"
#include "slab/size_classes.h"
#include "slab/slab_class.h"
#include "slab/worker_list.h"

namespace larder::slab {

struct SlabSet {
  SlabSet(const CacheConfig& cache_config, const Clock& cache_clock, uint64_t hash_seed)
      : config(cache_config),
        clock(cache_clock),
        budget(config.limit_bytes),
        arena(ReachFor(config.limit_bytes)),
        hints(arena),
        pool(arena, budget),
        extents(ReachFor(config.limit_bytes), budget),
        sizes(MakeSizes(config, arena.GranuleBytes())),
        index(arena, budget, hash_seed),
        ghost(budget, arena.Bytes() / kGhostPart) {
    for (uint32_t id = 1; id <= sizes.Count(); ++id) {
      classes.emplace_back(arena, budget, id, sizes.ChunkBytes(id));
    }
    classes.emplace_back(arena, budget, sizes.Count() + 1, HeadChunkBytes(arena.GranuleBytes()),
                         SlabClass::Stock::kNone);
  }

  // Fingerprints of the smallest items take no more of the address space.
  static constexpr uint64_t kGhostPart = 32;

  [[nodiscard]] static uint32_t HeadChunkBytes(uint32_t granule_bytes) {
    return (Item::HeadBytesMax() + granule_bytes - 1) / granule_bytes * granule_bytes;
  }

  [[nodiscard]] static SizeClasses MakeSizes(const CacheConfig& config, uint32_t granule_bytes) {
    constexpr uint32_t kLargest = Item::kChunkBytesMax;
    if (!config.chunk_sizes.empty()) return {config.chunk_sizes, kLargest, granule_bytes};
    const uint64_t smallest = Item::BytesFor(0, config.smallest_item_bytes, false, config.use_cas);
    return {static_cast<uint32_t>(smallest), GrowthFor(config.growth_factor, config.limit_bytes),
            kLargest, granule_bytes};
  }

  [[nodiscard]] SlabClass& Class(uint32_t class_id) { return classes[class_id - 1]; }
  // The class of large items' heads: the last one.
  [[nodiscard]] uint32_t LargeClassId() const { return sizes.Count() + 1; }
  // REQUIRES: the caller may hold `item`, so its page belongs to a class.
  [[nodiscard]] uint32_t ClassIdOf(const Item* item) const {
    const PageInfo& info = arena.InfoOf(arena.HandleOf(item));
    // Relaxed: written while nobody could hold a handle into the page.
    return info.class_id.load(std::memory_order_relaxed);
  }
  [[nodiscard]] SlabClass& ClassOf(const Item* item) { return Class(ClassIdOf(item)); }
  [[nodiscard]] Item* ItemAt(Handle handle) const {
    return reinterpret_cast<Item*>(arena.At(handle));
  }

  [[nodiscard]] std::string_view ValueOf(const Item& item) const {
    if (item.ValueBytes() >= Item::kLargeValueBytesMin) [[unlikely]] {
      const std::span<char> place = LongValuePlaceOf(item);
      return {place.data(), place.size()};
    }
    return item.InlineValue();
  }
  [[nodiscard]] std::span<char> ValuePlaceOf(Item& item) const {
    if (item.ValueBytes() >= Item::kLargeValueBytesMin) [[unlikely]] {
      return LongValuePlaceOf(item);
    }
    return {item.InlinePlace(), item.ValueBytes()};
  }

  [[nodiscard]] bool IsExpiredNow(const Item& item) const {
    return IsExpired(item.expires_s.load(std::memory_order_relaxed), clock.NowSeconds());
  }
  [[nodiscard]] bool IsFlushed(const Item& item) const {
    return flush.IsFlushed(item.generation, clock.NowSeconds());
  }
  [[nodiscard]] bool IsDeadAt(uint16_t generation, const Item& item) const {
    return IsExpiredNow(item) || flush.IsFlushedAt(generation, item.generation, clock.NowSeconds());
  }
  // Starts loading what a change under a key with this hash will write, wherever the key is.
  void PrefetchForChange(uint64_t hash) const {
    index.PrefetchForChange(hash);
    ghost.PrefetchForChange(hash);
  }

  // No longer served, though it still takes memory.
  [[nodiscard]] bool IsDead(const Item& item) const {
    return IsExpiredNow(item) || IsFlushed(item);
  }

  // The item's expiry has been set; in the turn in which it was.
  void NoteExpiry(const Item& item) const {
    const uint32_t expires_s = item.expires_s.load(std::memory_order_relaxed);
    if (expires_s == kNeverExpires) return;
    RaceWindow(Window::kExpirySetNotNoted);
    // Not before now: what is stored as expired already is freed no sooner than what just expires.
    const uint32_t now_s = clock.NowSeconds();
    hints.Note(hints.RegionOf(&item), std::max(expires_s, now_s), now_s);
  }

  // Of a value that may be large. Apart, so that nobody else pays for it.
  [[nodiscard]] std::span<char> LongValuePlaceOf(const Item& item) const;

  // What is read at every operation stands on other lines than what is written all the time.
  const CacheConfig config;
  const Clock& clock;
  alignas(64) MemoryBudget budget;
  alignas(64) PageArena arena;
  ExpiryHints hints;
  alignas(64) PagePool pool;
  ExtentArea extents;
  alignas(64) SizeClasses sizes;
  EpochDomain epochs;
  HashIndex index;
  Ghost ghost;
  FlushControl flush;
  WorkerList workers;
  std::deque<SlabClass> classes;  // by class id, less one; never grows after construction
};

}  // namespace larder::slab
