#include "tests/bench/replay_policy.h"

namespace larder::bench {
namespace {

// A ring of items in the order of their last use. The entry behind the last item stands for the
// ring's ends: what follows it is the oldest item, what precedes it the newest.
class Lru : public ReplayPolicy {
 public:
  Lru(uint32_t item_count, uint64_t capacity)
      : capacity_(capacity), ends_(item_count), entries_(item_count + size_t{1}) {
    entries_[ends_] = {.newer = ends_, .older = ends_, .weight = 0};
  }

  bool Read(uint32_t item, size_t /*at*/) override {
    if (entries_[item].weight == 0) return false;
    Unlink(item);
    LinkNewest(item);
    return true;
  }

  void Store(uint32_t item, uint64_t weight, size_t /*at*/, size_t /*expires_at*/) override {
    if (weight > capacity_) return;
    while (held_ + weight > capacity_) Remove(entries_[ends_].newer);
    entries_[item].weight = weight;
    held_ += weight;
    LinkNewest(item);
  }

  void Remove(uint32_t item) override {
    if (entries_[item].weight == 0) return;
    Unlink(item);
    held_ -= entries_[item].weight;
    entries_[item].weight = 0;
  }

 private:
  struct Entry {
    uint32_t newer;
    uint32_t older;
    uint64_t weight;  // 0: not held
  };

  void Unlink(uint32_t item) {
    const Entry& entry = entries_[item];
    entries_[entry.newer].older = entry.older;
    entries_[entry.older].newer = entry.newer;
  }

  void LinkNewest(uint32_t item) {
    const uint32_t newest = entries_[ends_].older;
    entries_[item].newer = ends_;
    entries_[item].older = newest;
    entries_[newest].newer = item;
    entries_[ends_].older = item;
  }

  const uint64_t capacity_;
  const uint32_t ends_;
  uint64_t held_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace

std::unique_ptr<ReplayPolicy> MakeLru(uint32_t item_count, uint64_t capacity) {
  return std::make_unique<Lru>(item_count, capacity);
}

}  // namespace larder::bench
