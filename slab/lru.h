// slab/lru.h - the order in which the items of one slab class leave: two lists, probation and
// protected.
//
// A new item enters probation at its head. At probation's tail it has had its chance: read
// meanwhile, it moves to protected; if not, it is the next victim. Probation is kept at about a
// tenth of the class, so that what is stored once and never read leaves quickly and what is
// read stays (the idea is S3-FIFO's, SOSP 2023). Protected is a second-chance list: at its tail
// an item that was read loses one count and goes round again.
//
// Representation  doubly linked by handles in the item headers, 8 bytes an item. A hit moves
//                 nothing, so readers never come here.
// Threads         all under the class's mutex (slab_class.h).
// Not here        what happens to a victim: chunk_supply.h
#pragma once

#include <cstdint>

#include "slab/item.h"

namespace larder::slab {

class LruList {
 public:
  void PushHead(PageArena& arena, Item* item);
  void Remove(PageArena& arena, Item* item);
  [[nodiscard]] Item* Tail(PageArena& arena) const {
    return tail_ == kNoHandle ? nullptr : reinterpret_cast<Item*>(arena.At(tail_));
  }
  [[nodiscard]] Item* Head(PageArena& arena) const {
    return head_ == kNoHandle ? nullptr : reinterpret_cast<Item*>(arena.At(head_));
  }
  // The neighbour nearer to the head, or null.
  [[nodiscard]] Item* Before(PageArena& arena, const Item* item) const {
    return item->prev == kNoHandle ? nullptr : reinterpret_cast<Item*>(arena.At(item->prev));
  }
  [[nodiscard]] uint64_t Count() const { return count_; }

 private:
  Handle head_ = kNoHandle;
  Handle tail_ = kNoHandle;
  uint64_t count_ = 0;
};

class Lru {
 public:
  explicit Lru(PageArena& arena) : arena_(arena) {}

  // Into the list that the item's kProtected bit names.
  void Link(Item* item);
  void Unlink(Item* item);

  // How a scan for a victim went; the moves are counted for the statistics.
  struct Scan {
    Item* victim = nullptr;  // still linked
    uint32_t promoted_count = 0;
    uint32_t rotated_count = 0;
  };
  // Walks from the tails, giving second chances, until an item has none left or `is_dead(item)`
  // says it is no longer served. Items on their way out with somebody else are passed by.
  // Bounded: after kStepsMax the tail goes, whatever its count. Null when nothing is left that
  // could go, or as many as that at the tail are on their way out.
  template <typename IsDead>
  [[nodiscard]] Scan FindVictim(const IsDead& is_dead);

  // Looks at the last kStepsMax items of each list for one that is no longer served; moves none.
  template <typename IsDead>
  [[nodiscard]] Scan FindDead(const IsDead& is_dead) const;

  // Seconds since `tail` was last accessed; 0 for none.
  [[nodiscard]] static uint32_t AgeOf(const Item* tail, uint32_t now_s) {
    // The item may have been read after the caller looked at the clock.
    return tail == nullptr || tail->Access().Second() > now_s ? 0 : now_s - tail->Access().Second();
  }
  [[nodiscard]] uint64_t ProbationCount() const { return probation_.Count(); }
  [[nodiscard]] uint64_t ProtectedCount() const { return protected_.Count(); }
  [[nodiscard]] Item* ProbationTail() const { return probation_.Tail(arena_); }
  [[nodiscard]] Item* ProtectedTail() const { return protected_.Tail(arena_); }

 private:
  static constexpr uint32_t kStepsMax = 64;
  // Probation's share of the class; S3-FIFO's figure.
  static constexpr uint64_t kProbationDivisor = 10;

  [[nodiscard]] LruList& ListOf(const Item* item);
  [[nodiscard]] LruList& ListToShrink();
  void MoveToHead(Item* item, LruList& from, LruList& to);

  PageArena& arena_;
  LruList probation_;
  LruList protected_;
};

template <typename IsDead>
Lru::Scan Lru::FindVictim(const IsDead& is_dead) {
  Scan scan;
  for (uint32_t step = 0; step < kStepsMax; ++step) {
    LruList& list = ListToShrink();
    Item* const tail = list.Tail(arena_);
    if (tail == nullptr) return scan;
    // Relaxed: only bits that change under the class's mutex decide here; kIndexed is checked
    // again, atomically, when the victim is isolated.
    const uint8_t state = tail->state.load(std::memory_order_relaxed);
    if ((state & item_state::kIndexed) == 0) {  // its remover will unlink it
      MoveToHead(tail, list, list);
      continue;
    }
    const AccessMark mark = tail->Access();
    if (mark.Count() == 0 || step + 1 == kStepsMax || is_dead(*tail)) {
      scan.victim = tail;
      return scan;
    }
    if (&list == &probation_) {
      tail->SetAccess(mark.WithCount(0));
      // Relaxed: the bit is read under the class's mutex only.
      tail->state.fetch_or(item_state::kProtected, std::memory_order_relaxed);
      MoveToHead(tail, probation_, protected_);
      ++scan.promoted_count;
    } else {
      tail->SetAccess(mark.WithCount(mark.Count() - 1));
      MoveToHead(tail, protected_, protected_);
      ++scan.rotated_count;
    }
  }
  return scan;
}

template <typename IsDead>
Lru::Scan Lru::FindDead(const IsDead& is_dead) const {
  for (const LruList* list : {&probation_, &protected_}) {
    Item* item = list->Tail(arena_);
    for (uint32_t step = 0; step < kStepsMax && item != nullptr; ++step) {
      const uint8_t state = item->state.load(std::memory_order_relaxed);
      if ((state & item_state::kIndexed) != 0 && is_dead(*item)) return {item, 0, 0};
      item = list->Before(arena_, item);
    }
  }
  return {};
}

}  // namespace larder::slab
