// slab/rebalance_policy.h - which slab class gives up a page, and to whom.
//
// Pure functions of figures: no locks, no memory, no clock, testable row by row.
//   PickDonor  serves need: a class without a page, or the index, must have one now.
//   PickMove   serves the hit ratio: memory follows when the sizes of objects shift.
//
// Aim      In each class an item leaves that nobody has read for a while. Pages go from the class
//          in which that takes longest to the one in which it is shortest, until they are alike: as
//          if there were one list of victims for all sizes.
// Signal   The mean age of a class's victims: seconds since each was last accessed, averaged over
//          those of lately (Demand). Ages are counted in whole tenths of a second, but the mean
//          over many is exact: the two ends of an age fall anywhere in their tenths, and the errors
//          cancel. So it also tells apart classes of a small cache that turns over in less. (With
//          whole seconds and turnovers of half a second, a class was given nearly all pages in the
//          looks between two seconds, in which its victims were all of age 0.) Of a donor
//          the age of what would go next counts as well, with a margin for its coarseness: it may
//          have evicted nothing lately.
//          (Residence by Little's law, items / evictions per second, would be as exact, but says of
//          a class whose working set just fits that it has time without end, and would take from
//          it what is read every second.)
// Calm     A page is expected to make ages longer and shorter in proportion to the pages. It moves
//          only if the donor's victims are older afterwards than the receiver's by kAgeRatio, and
//          by what both ages may be off for want of victims. So the way back is never open: it
//          would need the receiver's to be the older ones. And where sizes do not shift nothing
//          moves: without the second margin, the mixed sizes of the benchmark missed 1.25 times as
//          much with the policy as without any. What is read is served first: a class whose
//          victims hardly anybody ever read (a log, a scan) gets nothing from one that is read
//          more, and gives to it whatever the ages say.
//
// Units    pages, chunks, items, seconds.
// Not here how a page is emptied: page_release.h. Who asks, and when: rebalancer.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace larder::slab {

// What a class lost and served lately: sums in which the past fades with each look.
//
// Lately is kLooksMin looks, so that a shift is followed at once, but not less than the age of the
// victims: that a class has more pages shows in their age only after so long. Until then the ages
// from before count for what they would have been with the pages of now, or page after page would
// move for a lack that is mended. Where few are evicted the past fades slowly, so that the few
// become enough to judge by; but a class that evicts nothing for kQuietLooksMax is not short.
class Demand {
 public:
  struct Totals {
    uint64_t evicted_count = 0;
    uint64_t evicted_age_ds = 0;  // sum, in tenths of seconds
    uint64_t hit_count = 0;
  };
  // `totals`: since the cache began.
  void Look(const Totals& totals);
  // The class has `now` pages instead of `before`.
  void NotePages(uint64_t before, uint64_t now);

  [[nodiscard]] double EvictedCount() const { return evicted_count_; }
  // 0 where nothing was evicted.
  [[nodiscard]] double MeanAgeSeconds() const {
    return evicted_count_ > 0 ? evicted_age_ds_ / evicted_count_ / 10 : 0;
  }
  [[nodiscard]] double HitCount() const { return hit_count_; }

 private:
  static constexpr double kLooksMin = 8;
  static constexpr double kLooksOfFew = 200;
  static constexpr double kLooksPerSecond = 10;
  static constexpr uint32_t kQuietLooksMax = 20;

  Totals before_;
  uint32_t quiet_looks_ = 0;
  double evicted_count_ = 0;
  double evicted_age_ds_ = 0;
  double hit_count_ = 0;
};

struct ClassFigures {
  uint32_t class_id = 0;
  uint64_t page_count = 0;
  uint64_t free_chunk_count = 0;
  uint32_t chunks_per_page = 1;
  // For PickMove. Of Demand; and how long ago the next victim was last accessed.
  double evicted_count = 0;
  double evicted_age_s = 0;  // mean
  double hit_count = 0;
  uint32_t tail_age_s = 0;
  uint64_t pages_taken = 0;  // since the look
  uint64_t pages_given = 0;
};

// The class to take a page from, or 0 when none has one. `receiver` (0: none) never gives to
// itself. A class that has a page's worth of free chunks comes first, as little is lost; then the
// one with the most pages, which misses one the least.
[[nodiscard]] uint32_t PickDonor(std::span<const ClassFigures> classes, uint32_t receiver);

struct PageMove {
  uint32_t donor = 0;
  uint32_t receiver = 0;
};

// The move that does most good, if any does enough. A class is short of memory if it lately evicted
// kEvictedItemsMin items or kEvictedPagesMin pages' worth; of those the one whose victims are
// youngest comes first, those that are read before the others. First to give is a class that has
// more than a page's worth of free chunks and evicts nothing, then one that nobody reads, then the
// one with the oldest victims. A donor keeps its last page and half of what it has, and a receiver
// no more than doubles at one look: what it would evict with so many more pages is a guess.
[[nodiscard]] std::optional<PageMove> PickMove(std::span<const ClassFigures> classes);
// What PickMove should know before the next look, when `move` was made.
void NoteMove(std::span<ClassFigures> classes, const PageMove& move);

inline constexpr double kEvictedItemsMin = 16;
inline constexpr double kEvictedPagesMin = 0.25;
inline constexpr double kAgeRatio = 1.25;
// The part of a mean age by which it may be off, of one victim; of n it is as the root of n less.
// Victims come in batches of up to 32 that are neighbours, and among fifty classes there is always
// one that is three times its deviation off.
inline constexpr double kDoubtOfOne = 17;
// The clock's resolution. Of younger victims no more is known.
inline constexpr double kAgeMin = 0.05;
// For the age of what a donor would lose next: that of one item, in whole seconds.
inline constexpr double kTailAgeRatio = 2;
inline constexpr double kTailAgeMarginS = 2;
// Hits for each item evicted below which a class counts as not read, once that many were evicted.
inline constexpr double kHitsPerVictimMin = 1.0 / 64;
inline constexpr double kUnreadVictimsMin = 256;

}  // namespace larder::slab
