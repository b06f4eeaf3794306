// slab/rebalance_policy.h - which slab class gives up a page, and to whom.
//
// Pure functions of figures: no locks, no memory, testable row by row.
//   PickDonor  serves need: a class without a page, or the index, must have one now.
//   PickMove   serves the hit ratio: memory follows when the sizes of objects shift.
//
// Units    pages, chunks, seconds.
// Not here how a page is emptied: page_release.h. Who asks, and when: rebalancer.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace larder::slab {

struct ClassFigures {
  uint32_t class_id = 0;
  uint64_t page_count = 0;
  uint64_t free_chunk_count = 0;
  uint32_t chunks_per_page = 1;
  // For PickMove. Evictions since the last look; seconds since the next victim, and the latest
  // one, were last accessed.
  uint64_t evicted_count = 0;
  uint32_t tail_age_s = 0;
  uint32_t evicted_age_s = 0;
};

// The class to take a page from, or 0 when none has one. `receiver` (0: none) never gives to
// itself. A class that has a page's worth of free chunks comes first, as little is lost; then the
// one with the most pages, which misses one the least.
[[nodiscard]] uint32_t PickDonor(std::span<const ClassFigures> classes, uint32_t receiver);

struct PageMove {
  uint32_t donor = 0;
  uint32_t receiver = 0;
};

// A class that evicts kEvictedItemsMin items or kEvictedPagesMin pages' worth between two looks is
// short of memory; the one that evicts the most pages' worth comes first.
// It gets a page from the class whose oldest item has been idle longest, if that one evicts
// nothing and the item has been idle kAgeRatio times as long as what the receiver evicts, and
// kAgeMarginS more: what leaves is then older than what is saved, as if there were one list for
// all sizes. The margins are what keeps a page from going back and forth. A donor keeps its last
// page.
[[nodiscard]] std::optional<PageMove> PickMove(std::span<const ClassFigures> classes);

inline constexpr uint64_t kEvictedItemsMin = 16;
inline constexpr double kEvictedPagesMin = 0.25;
inline constexpr uint32_t kAgeRatio = 2;
inline constexpr uint32_t kAgeMarginS = 2;

}  // namespace larder::slab
