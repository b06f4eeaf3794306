#include <functional>
#include <queue>
#include <utility>

#include "tests/bench/item_keys.h"
#include "tests/bench/replay_policy.h"

namespace larder::bench {
namespace {

// When items expire. One that was stored anew has an old entry too, which `due_` tells apart.
class ExpiryTimes {
 public:
  explicit ExpiryTimes(uint32_t item_count) : due_(item_count, ReplayPolicy::kNever) {}

  void Set(uint32_t item, size_t expires_at) {
    due_[item] = expires_at;
    if (expires_at != ReplayPolicy::kNever) queue_.emplace(expires_at, item);
  }

  void RemoveExpired(size_t at, ReplayPolicy& policy) {
    while (!queue_.empty() && queue_.top().first <= at) {
      const auto [expires_at, item] = queue_.top();
      queue_.pop();
      if (due_[item] == expires_at) policy.Remove(item);
    }
  }

 private:
  using Entry = std::pair<size_t, uint32_t>;
  std::vector<size_t> due_;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue_;
};

}  // namespace

MissCount Simulate(const Replay& replay, Weigh weigh, ReplayPolicy& policy) {
  MissCount misses(replay);
  ItemKeys keys = replay.keys.empty() ? ItemKeys() : ItemKeys(replay.keys);
  ExpiryTimes expiry(replay.item_count);
  for (size_t at = 0; at < replay.requests.size(); ++at) {
    const ReplayRequest& request = replay.requests[at];
    expiry.RemoveExpired(at, policy);
    if (policy.Read(request.item, at)) continue;
    misses.Add(at);
    const size_t expires_at =
        request.ttl_s == 0 ? ReplayPolicy::kNever : at + request.ttl_s * replay.requests_per_second;
    const uint64_t weight =
        weigh == Weigh::kItems ? 1 : keys.Of(request.item).size() + request.value_bytes;
    policy.Store(request.item, weight, at, expires_at);
    expiry.Set(request.item, expires_at);
  }
  return misses;
}

}  // namespace larder::bench
