#include <algorithm>
#include <deque>

#include "tests/bench/replay_policy.h"

namespace larder::bench {
namespace {

constexpr uint64_t kSmallShare = 10;  // the small queue has one part of so many
constexpr uint8_t kReadsMax = 3;      // more are not counted
constexpr uint8_t kReadsForMain = 2;  // that many in the small queue earn a place in main

class S3Fifo : public ReplayPolicy {
 public:
  S3Fifo(uint32_t item_count, uint64_t capacity) : capacity_(capacity), items_(item_count) {}

  bool Read(uint32_t item, size_t /*at*/) override {
    Item& state = items_[item];
    if (state.place != Place::kSmall && state.place != Place::kMain) return false;
    state.reads = std::min<uint8_t>(state.reads + 1, kReadsMax);
    return true;
  }

  void Store(uint32_t item, uint64_t weight, size_t /*at*/, size_t /*expires_at*/) override {
    if (weight > capacity_) return;
    const bool is_back = items_[item].place == Place::kGhost;
    if (is_back) Leave(item);
    while (small_.weight + main_.weight + weight > capacity_) EvictOne();
    items_[item].weight = weight;
    items_[item].reads = 0;
    Enter(item, is_back ? Place::kMain : Place::kSmall);
  }

  void Remove(uint32_t item) override {
    if (items_[item].place != Place::kNowhere) Leave(item);
  }

 private:
  enum class Place : uint8_t { kNowhere, kSmall, kMain, kGhost };

  struct Item {
    uint64_t weight = 0;
    uint32_t entry = 0;  // number of its valid entry in a queue; all older ones are void
    Place place = Place::kNowhere;
    uint8_t reads = 0;
  };

  struct Entry {
    uint32_t item;
    uint32_t entry;
  };

  struct Queue {
    std::deque<Entry> entries;
    uint64_t weight = 0;  // of the items whose entries are valid
  };

  Queue& QueueOf(Place place) {
    return place == Place::kSmall ? small_ : place == Place::kMain ? main_ : ghost_;
  }

  void Enter(uint32_t item, Place place) {
    Item& state = items_[item];
    state.place = place;
    QueueOf(place).weight += state.weight;
    QueueOf(place).entries.push_back({.item = item, .entry = ++state.entry});
  }

  void Leave(uint32_t item) {
    Item& state = items_[item];
    QueueOf(state.place).weight -= state.weight;
    state.place = Place::kNowhere;
    ++state.entry;
  }

  // Takes the oldest item out. REQUIRES: the queue's weight is not 0.
  uint32_t TakeOldest(Queue& queue) {
    while (true) {
      const Entry oldest = queue.entries.front();
      queue.entries.pop_front();
      if (items_[oldest.item].entry != oldest.entry) continue;
      Leave(oldest.item);
      return oldest.item;
    }
  }

  // Moves items on until one is out or the queue that had to give is empty.
  void EvictOne() {
    const bool small_is_over = small_.weight * kSmallShare >= capacity_;
    if (small_.weight > 0 && (small_is_over || main_.weight == 0)) {
      EvictFromSmall();
    } else {
      EvictFromMain();
    }
  }

  void EvictFromSmall() {
    while (small_.weight > 0) {
      const uint32_t item = TakeOldest(small_);
      if (items_[item].reads < kReadsForMain) {
        Enter(item, Place::kGhost);
        while (ghost_.weight > capacity_ - capacity_ / kSmallShare) TakeOldest(ghost_);
        return;
      }
      items_[item].reads = 0;
      Enter(item, Place::kMain);
    }
  }

  void EvictFromMain() {
    while (true) {
      const uint32_t item = TakeOldest(main_);
      if (items_[item].reads == 0) return;
      --items_[item].reads;
      Enter(item, Place::kMain);
    }
  }

  const uint64_t capacity_;
  std::vector<Item> items_;
  Queue small_;
  Queue main_;
  Queue ghost_;
};

}  // namespace

std::unique_ptr<ReplayPolicy> MakeS3Fifo(uint32_t item_count, uint64_t capacity) {
  return std::make_unique<S3Fifo>(item_count, capacity);
}

}  // namespace larder::bench
