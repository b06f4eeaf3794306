// slab/lru.h - the order in which the items of one slab class leave: probation, then protected.
//
// A new item is on probation. When its turn comes it has had its chance: read meanwhile, it becomes
// protected; if not, it is the next victim, and is remembered in the ghost table (ghost.h), so that
// it is protected from the start if it comes back soon. Probation is kept at about a sixteenth of
// the class, more where chunks are few: what is stored once and never read leaves quickly, what is
// read stays. (The idea is S3-FIFO's, SOSP 2023.) A protected item that was read since it was last
// looked at is passed over once.
//
// Representation  Probation is a queue of handles beside the items, with part of the key's hash, by
//                 which an entry is recognised whose chunk has another item by now: 8 bytes for a
//                 sixteenth of the items. Protected is no list at all: a hand walks the chunks of
//                 the class's pages in the order of their addresses and takes what is protected
//                 and unread. Half a byte an item instead of 8 for two links; a hit moves nothing,
//                 and neither a removal nor an update comes here or takes the class's lock.
// Why it is good  Simulated at the same number of items against LRU (Zipf 0.7 to 1.1, scans, loops,
//                 drift): 13 % fewer misses on the average, S3-FIFO with its two FIFO lists 11 %.
//                 A sixteenth and a tenth for probation differ by less than 0.5 %. An address order
//                 is no worse than a list: freed chunks are filled just behind the hand, so that
//                 its distance is an item's age. It is at its worst where popularity drifts so fast
//                 that only recency counts (5 % more misses than LRU).
// Units           entries, chunks.
// Threads         all under the class's mutex (slab_class.h), except Judge. Those that read more of
//                 an item than its header's atomics need a worker that is on-line: FindVictim,
//                 FindDead, Judge.
// Not here        what happens to a victim: chunk_supply.h
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "slab/item.h"

namespace larder::slab {

// An item as probation remembers it.
struct ProbationEntry {
  Handle handle = kNoHandle;
  uint32_t hash_part = 0;
};

class Lru {
 public:
  // The pages are the class's; the hand follows what is added to them and taken from them.
  Lru(PageArena& arena, const std::vector<PageId>& pages, uint32_t class_id, uint32_t chunk_bytes);

  // Part of a hash that the index and the ghost table use little of.
  [[nodiscard]] static uint32_t HashPart(uint64_t hash) {
    return static_cast<uint32_t>(hash >> 24);
  }
  // What the queue takes beside a page of such chunks, at most.
  [[nodiscard]] static uint64_t QueueBytesPerPage(uint32_t chunks_per_page) {
    return LengthMax(chunks_per_page) * sizeof(ProbationEntry);
  }

  // `entry`'s item was published a moment ago, unprotected. Where the queue is full, while there
  // is memory for every item, the oldest entry's item becomes protected, unread or not. Returns
  // whether one did.
  bool Enter(const ProbationEntry& entry);
  // REQUIRES: called before the page is erased from the class's pages; `index`: its place there.
  void ForgetPage(size_t index);

  // How a look for a victim went; the moves are counted for the statistics.
  struct Scan {
    Item* victim = nullptr;
    uint32_t promoted_count = 0;
    uint32_t passed_count = 0;  // protected items that were read since the hand came by
  };
  // The item that should leave next. It is not marked as such: whoever asks next may be given the
  // same protected item once more when the hand has been round. Bounded: after kChancesMax items
  // that were read the next goes all the same. Null when there was none in kStepsMax chunks and
  // none on probation.
  // `hash_part_of(item)` and `is_dead(item)` may read the item.
  // `used_count`: how many of the class's chunks are in use; probation gets its part of these.
  template <typename HashPartOf, typename IsDead>
  [[nodiscard]] Scan FindVictim(const HashPartOf& hash_part_of, const IsDead& is_dead,
                                uint64_t used_count);

  // An item whose turn has come, and what its entry says of its key.
  struct Candidate {
    Item* item = nullptr;
    uint32_t hash_part = 0;
  };
  // Starts loading the headers of the `count` items that are on probation for longest.
  void PrefetchOldest(size_t count) const {
    for (size_t i = 0; i < count && i < queue_.size(); ++i) {
      __builtin_prefetch(ItemAt(queue_[i].handle));
    }
  }
  // Takes those off the queue who are there for longest, up to out.size() and while the queue is
  // longer than its part of `used_count` chunks; returns how many. They were in the index, so an
  // on-line worker may judge them without the mutex: until its quiescent state none of their chunks
  // is anything else, and so no page of theirs changes hands.
  [[nodiscard]] uint32_t TakeOldest(std::span<Candidate> out, uint64_t used_count);
  // What becomes of a candidate. kGone: its chunk has another item, or none. kPromoted: it was read
  // in time, and is protected from now on.
  enum class Verdict : uint8_t { kGone, kPromoted, kVictim };
  // `promoted_count`: how many were promoted since the last victim. Threads: any on-line worker's.
  template <typename HashPartOf, typename IsDead>
  [[nodiscard]] static Verdict Judge(const Candidate& candidate, const HashPartOf& hash_part_of,
                                     const IsDead& is_dead, uint32_t promoted_count);

  // One of the next kStepsMax chunks' items that is no longer served. Protects nobody, passes over
  // nobody.
  template <typename IsDead>
  [[nodiscard]] Item* FindDead(const IsDead& is_dead);

  // Whether the hand would take the item if it came by now.
  [[nodiscard]] static bool IsDue(const Item& item) {
    // Relaxed: a choice of victim.
    const uint8_t state = item.state.load(std::memory_order_relaxed);
    return (state & item_state::kProtected) != 0 && !item.Access().WasRead();
  }
  // Seconds since `item` was last accessed; 0 for none.
  [[nodiscard]] static uint32_t AgeOf(const Item* item, uint32_t now_ds) {
    return item == nullptr ? 0 : item->Access().AgeTenths(now_ds) / 10;
  }
  // An item near the end of its probation, and one that the hand will meet soon; for figures.
  [[nodiscard]] const Item* OldestOnProbation() const;
  [[nodiscard]] const Item* NextProtected() const;
  // The greater of both ages; 0: nobody is there.
  [[nodiscard]] uint32_t TailAge(uint32_t now_ds) const {
    return std::max(AgeOf(OldestOnProbation(), now_ds), AgeOf(NextProtected(), now_ds));
  }
  // Place in the class's pages of the one that the hand comes to next and has not begun: what is
  // unread there has been unread for the hand's whole round.
  [[nodiscard]] size_t PageAfterHand() const {
    return pages_.empty() ? 0 : (hand_page_ + (hand_chunk_ > 0 ? 1 : 0)) % pages_.size();
  }
  // How many chunks the hand passes in one look.
  static constexpr uint32_t kStepsMax = 1024;
  // Includes entries whose items are gone.
  [[nodiscard]] uint64_t QueueLength() const { return queue_.size(); }

 private:
  static constexpr uint32_t kProbationDivisor = 16;
  // In a class of few chunks a new item still sees a few others come before it is judged.
  static constexpr uint64_t kTargetMin = 16;
  // A full queue has room for what a few workers bring at once.
  static constexpr uint32_t kBatchesSlack = 128;
  static constexpr uint32_t kChancesMax = 64;
  static constexpr uint32_t kPeeksMax = 64;

  [[nodiscard]] Item* ItemAt(Handle handle) const {
    return reinterpret_cast<Item*>(arena_.At(handle));
  }
  // Null when the entry's chunk has been freed since, or has left the class with its page.
  [[nodiscard]] Item* OnProbation(const ProbationEntry& entry) const;
  // False when somebody has just taken the item out of the index.
  static bool Protect(Item* item);
  [[nodiscard]] uint64_t ChunkCount() const { return pages_.size() * chunks_per_page_; }
  [[nodiscard]] static uint64_t QueueTarget(uint64_t used_count) {
    return std::max(used_count / kProbationDivisor, std::min(used_count / 2, kTargetMin));
  }
  [[nodiscard]] static uint64_t LengthMax(uint64_t chunk_count) {
    return chunk_count / kProbationDivisor * 5 / 4;
  }
  // The next entry whose item is there. False: the queue is no longer than `length_min`.
  [[nodiscard]] bool PopOldest(uint64_t length_min, Candidate* candidate);
  // The chunk under the hand; the hand moves on. REQUIRES: there is a page.
  [[nodiscard]] Item* Advance();

  template <typename HashPartOf, typename IsDead>
  [[nodiscard]] Item* VictimOnProbation(const HashPartOf& hash_part_of, const IsDead& is_dead,
                                        uint64_t length_min, Scan& scan);
  template <typename IsDead>
  [[nodiscard]] Item* VictimAtHand(const IsDead& is_dead, Scan& scan);

  PageArena& arena_;
  const std::vector<PageId>& pages_;
  const uint32_t class_id_;
  const uint32_t chunk_bytes_;
  const uint32_t chunks_per_page_;

  std::deque<ProbationEntry> queue_;
  size_t hand_page_ = 0;  // place in pages_
  uint32_t hand_chunk_ = 0;
};

template <typename HashPartOf, typename IsDead>
Lru::Scan Lru::FindVictim(const HashPartOf& hash_part_of, const IsDead& is_dead,
                          uint64_t used_count) {
  Scan scan;
  scan.victim = VictimOnProbation(hash_part_of, is_dead, QueueTarget(used_count), scan);
  if (scan.victim == nullptr) scan.victim = VictimAtHand(is_dead, scan);
  if (scan.victim == nullptr) scan.victim = VictimOnProbation(hash_part_of, is_dead, 0, scan);
  return scan;
}

template <typename HashPartOf, typename IsDead>
Lru::Verdict Lru::Judge(const Candidate& candidate, const HashPartOf& hash_part_of,
                        const IsDead& is_dead, uint32_t promoted_count) {
  Item& item = *candidate.item;
  if (hash_part_of(item) != candidate.hash_part) return Verdict::kGone;
  const bool goes = !item.Access().WasRead() || promoted_count >= kChancesMax;
  if (goes || is_dead(item)) return Verdict::kVictim;
  return Protect(&item) ? Verdict::kPromoted : Verdict::kGone;
}

// Takes entries off the queue while it is longer than `length_min`. Entries whose items are gone
// are no reason to give up: each is looked at once, and was paid for when it entered.
template <typename HashPartOf, typename IsDead>
Item* Lru::VictimOnProbation(const HashPartOf& hash_part_of, const IsDead& is_dead,
                             uint64_t length_min, Scan& scan) {
  Candidate candidate;
  while (PopOldest(length_min, &candidate)) {
    const Verdict verdict = Judge(candidate, hash_part_of, is_dead, scan.promoted_count);
    if (verdict == Verdict::kVictim) return candidate.item;
    if (verdict == Verdict::kPromoted) ++scan.promoted_count;
  }
  return nullptr;
}

template <typename IsDead>
Item* Lru::VictimAtHand(const IsDead& is_dead, Scan& scan) {
  if (pages_.empty()) return nullptr;
  for (uint32_t step = 0; step < kStepsMax; ++step) {
    Item* const item = Advance();
    if (!item->IsIndexed()) continue;
    if (is_dead(*item)) return item;
    // Relaxed: only bits that say more about an indexed item.
    const uint8_t state = item->state.load(std::memory_order_relaxed);
    if ((state & item_state::kProtected) == 0) continue;
    const AccessMark mark = item->Access();
    if (!mark.WasRead() || scan.passed_count == kChancesMax) return item;
    item->SetAccess(mark.Unread());
    ++scan.passed_count;
  }
  return nullptr;
}

template <typename IsDead>
Item* Lru::FindDead(const IsDead& is_dead) {
  if (pages_.empty()) return nullptr;
  for (uint32_t step = 0; step < kStepsMax; ++step) {
    Item* const item = Advance();
    if (item->IsIndexed() && is_dead(*item)) return item;
  }
  return nullptr;
}

}  // namespace larder::slab
