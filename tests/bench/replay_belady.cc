#include <queue>
#include <utility>

#include "tests/bench/replay_policy.h"

namespace larder::bench {
namespace {

// For each request the index of the next one for the same item.
std::vector<size_t> NextUses(const Replay& replay) {
  std::vector<size_t> next_uses(replay.requests.size());
  std::vector<size_t> next_of_item(replay.item_count, ReplayPolicy::kNever);
  for (size_t at = replay.requests.size(); at-- > 0;) {
    size_t& next = next_of_item[replay.requests[at].item];
    next_uses[at] = std::exchange(next, at);
  }
  return next_uses;
}

class Belady : public ReplayPolicy {
 public:
  Belady(const Replay& replay, uint64_t capacity)
      : capacity_(capacity), next_uses_(NextUses(replay)), items_(replay.item_count) {}

  bool Read(uint32_t item, size_t at) override {
    if (items_[item].weight == 0) return false;
    Expect(item, next_uses_[at]);
    return true;
  }

  void Store(uint32_t item, uint64_t weight, size_t at, size_t expires_at) override {
    if (weight > capacity_) return;
    items_[item] = {.weight = weight, .next_use = kNever, .expires_at = expires_at};
    held_ += weight;
    Expect(item, next_uses_[at]);
    while (held_ > capacity_) RemoveFarthest();
  }

  void Remove(uint32_t item) override {
    held_ -= items_[item].weight;
    items_[item].weight = 0;
  }

 private:
  struct Item {
    uint64_t weight = 0;  // 0: not held
    size_t next_use = kNever;
    size_t expires_at = kNever;
  };

  // A request after the item's end is none that holding it would serve.
  void Expect(uint32_t item, size_t next_use) {
    Item& state = items_[item];
    state.next_use = next_use < state.expires_at ? next_use : kNever;
    by_next_use_.emplace(state.next_use, item);
  }

  void RemoveFarthest() {
    const auto [next_use, item] = by_next_use_.top();
    by_next_use_.pop();
    // Every request leaves an entry behind; only that of the item's last one still says when the
    // next comes.
    if (items_[item].weight > 0 && items_[item].next_use == next_use) Remove(item);
  }

  const uint64_t capacity_;
  const std::vector<size_t> next_uses_;
  uint64_t held_ = 0;
  std::vector<Item> items_;
  std::priority_queue<std::pair<size_t, uint32_t>> by_next_use_;
};

}  // namespace

std::unique_ptr<ReplayPolicy> MakeBelady(const Replay& replay, uint64_t capacity) {
  return std::make_unique<Belady>(replay, capacity);
}

}  // namespace larder::bench
