#include "tests/bench/replay_workloads.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <random>
#include <utility>

#include "tests/bench/value_sizes.h"
#include "tests/bench/zipf.h"

namespace larder::bench {
namespace {

constexpr uint64_t kSeed = 1;
constexpr uint32_t kSmallValueBytes = 100;

// Three times what fits into 64 MiB. More would only make more items that are asked for once or
// never again: their misses are the same for every cache and hide what differs.
constexpr uint32_t kSmallItems = 1'000'000;

Replay EmptyReplay(size_t request_count, uint32_t item_count) {
  Replay replay{.requests = {}, .item_count = item_count};
  replay.requests.reserve(request_count);
  return replay;
}

// Popularity stays as it is.
Replay MakeZipf(const ReplayWorkload& workload, size_t request_count) {
  std::mt19937_64 random(kSeed);
  const Zipf zipf(kSmallItems, workload.zipf_exponent);
  Replay replay = EmptyReplay(request_count, kSmallItems);
  while (replay.requests.size() < request_count) {
    replay.requests.push_back({.item = zipf.Draw(random), .value_bytes = kSmallValueBytes});
  }
  return replay;
}

// Popular items, and every now and then somebody who reads a long row of others once: a backup, a
// report, a crawler. A tenth of the requests are theirs.
Replay MakeScans(const ReplayWorkload& workload, size_t request_count) {
  constexpr uint32_t kScannedItems = 1'000'000;  // a scan goes on where the last one ended
  constexpr size_t kScanRequests = 50'000;
  constexpr size_t kPeriodRequests = 500'000;
  std::mt19937_64 random(kSeed);
  const Zipf zipf(kSmallItems, workload.zipf_exponent);
  Replay replay = EmptyReplay(request_count, kSmallItems + kScannedItems);
  uint32_t scanned = 0;
  while (replay.requests.size() < request_count) {
    const bool is_scan = replay.requests.size() % kPeriodRequests < kScanRequests;
    const uint32_t item = is_scan ? kSmallItems + scanned++ % kScannedItems : zipf.Draw(random);
    replay.requests.push_back({.item = item, .value_bytes = kSmallValueBytes});
  }
  return replay;
}

// Sizes that have nothing to do with popularity.
Replay MakeMixedSizes(const ReplayWorkload& workload, size_t request_count) {
  constexpr uint32_t kItemCount = 300'000;
  std::mt19937_64 random(kSeed);
  const Zipf zipf(kItemCount, workload.zipf_exponent);
  const ValueSizes sizes = ValueSizes::LogNormal(230, 1.3);
  Replay replay = EmptyReplay(request_count, kItemCount);
  while (replay.requests.size() < request_count) {
    const uint32_t item = zipf.Draw(random);
    replay.requests.push_back({.item = item, .value_bytes = sizes.Of(item)});
  }
  return replay;
}

// News: all the time some item changes places with another one, anywhere in the ranking, so that
// what was popular is not for ever. In the course of the replay every place changes hands about
// twice.
Replay MakeDrift(const ReplayWorkload& workload, size_t request_count) {
  const size_t requests_per_swap = std::max<size_t>(workload.request_count / kSmallItems, 1);
  std::mt19937_64 random(kSeed);
  const Zipf zipf(kSmallItems, workload.zipf_exponent);
  std::vector<uint32_t> item_of_rank(kSmallItems);
  std::iota(item_of_rank.begin(), item_of_rank.end(), 0u);
  Replay replay = EmptyReplay(request_count, kSmallItems);
  while (replay.requests.size() < request_count) {
    if (replay.requests.size() % requests_per_swap == 0) {
      std::swap(item_of_rank[random() % kSmallItems], item_of_rank[random() % kSmallItems]);
    }
    const uint32_t item = item_of_rank[zipf.Draw(random)];
    replay.requests.push_back({.item = item, .value_bytes = kSmallValueBytes});
  }
  return replay;
}

// Three of four items live for 5 to 19 seconds, the others for ever. What expired is of no use to
// anybody, and who notices early has its memory for others.
Replay MakeExpiring(const ReplayWorkload& workload, size_t request_count) {
  std::mt19937_64 random(kSeed);
  const Zipf zipf(kSmallItems, workload.zipf_exponent);
  Replay replay = EmptyReplay(request_count, kSmallItems);
  while (replay.requests.size() < request_count) {
    const uint32_t item = zipf.Draw(random);
    const uint64_t bits = MixedBits(item, 1);
    const uint32_t ttl_s = bits % 4 == 0 ? 0 : 5 + static_cast<uint32_t>(bits / 4 % 15);
    replay.requests.push_back({.item = item, .value_bytes = kSmallValueBytes, .ttl_s = ttl_s});
  }
  return replay;
}

// An application changes what it stores: from one request to the next all items are new ones, 20
// times as large, and nobody asks for the old ones any more.
Replay MakeSizeShift(const ReplayWorkload& workload, size_t request_count) {
  constexpr uint32_t kLargeItems = 100'000;
  constexpr uint32_t kLargeValueBytes = 2048;
  std::mt19937_64 random(kSeed);
  const Zipf small(kSmallItems, workload.zipf_exponent);
  const Zipf large(kLargeItems, workload.zipf_exponent);
  Replay replay = EmptyReplay(request_count, kSmallItems + kLargeItems);
  while (replay.requests.size() < request_count / 3) {
    replay.requests.push_back({.item = small.Draw(random), .value_bytes = kSmallValueBytes});
  }
  while (replay.requests.size() < request_count) {
    replay.requests.push_back(
        {.item = kSmallItems + large.Draw(random), .value_bytes = kLargeValueBytes});
  }
  return replay;
}

constexpr Weigh kItems = Weigh::kItems;
constexpr Weigh kBytes = Weigh::kBytes;

// The last two are slowed down to a clock: seconds are part of what they ask.
constexpr auto kWorkloads = std::to_array<ReplayWorkload>({
    {"zipf-0.7", "Zipf 0.7", MakeZipf, 0.7, kItems, 8'000'000, 0},
    {"zipf-0.9", "Zipf 0.9", MakeZipf, 0.9, kItems, 8'000'000, 0},
    {"zipf-0.99", "Zipf 0.99", MakeZipf, 0.99, kItems, 10'000'000, 0},
    {"zipf-1.1", "Zipf 1.1", MakeZipf, 1.1, kItems, 10'000'000, 0},
    {"scans", "Zipf 0.99 and scans", MakeScans, 0.99, kItems, 10'000'000, 0},
    {"mixed", "Zipf 0.9, log-normal sizes", MakeMixedSizes, 0.9, kBytes, 4'000'000, 0},
    {"drift", "Zipf 0.99, popularity changes", MakeDrift, 0.99, kItems, 10'000'000, 0},
    {"expiring", "Zipf 0.9, most expire in 5 to 19 s", MakeExpiring, 0.9, kItems, 6'000'000,
     150'000},
    {"shift", "values shift from 100 B to 2 KB", MakeSizeShift, 0.99, kBytes, 6'000'000, 200'000},
});

}  // namespace

std::span<const ReplayWorkload> ReplayWorkloads() { return kWorkloads; }

const ReplayWorkload* FindReplayWorkload(std::string_view name) {
  const auto* const found = std::find_if(kWorkloads.begin(), kWorkloads.end(),
                                         [name](const auto& row) { return row.name == name; });
  return found == kWorkloads.end() ? nullptr : found;
}

Replay MakeReplay(const ReplayWorkload& workload, uint64_t request_count) {
  Replay replay =
      workload.make(workload, request_count == 0 ? workload.request_count : request_count);
  replay.counted_from = replay.requests.size() / 3;
  replay.requests_per_second = workload.requests_per_second;
  return replay;
}

}  // namespace larder::bench
