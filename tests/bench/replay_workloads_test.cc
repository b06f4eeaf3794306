#include "tests/bench/replay_workloads.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

namespace larder::bench {
namespace {

constexpr size_t kRequestCount = 300'000;

Replay Make(std::string_view name, size_t request_count = kRequestCount) {
  const ReplayWorkload* workload = FindReplayWorkload(name);
  REQUIRE(workload != nullptr);
  return MakeReplay(*workload, request_count);
}

template <typename Predicate>
double Share(const Replay& replay, Predicate predicate) {
  return double(std::count_if(replay.requests.begin(), replay.requests.end(), predicate)) /
         double(replay.requests.size());
}

TEST_CASE("Every workload is as long as asked for, names only its items, and repeats exactly") {
  std::set<std::string_view> names;
  for (const ReplayWorkload& workload : ReplayWorkloads()) {
    CAPTURE(workload.name);
    CHECK(names.insert(workload.name).second);
    const Replay replay = MakeReplay(workload, 10'000);
    CHECK(replay.requests.size() == 10'000);
    CHECK(replay.counted_from == 3333);
    CHECK(replay.requests_per_second == workload.requests_per_second);
    const Replay again = MakeReplay(workload, 10'000);
    CHECK(std::equal(replay.requests.begin(), replay.requests.end(), again.requests.begin(),
                     [](const ReplayRequest& a, const ReplayRequest& b) {
                       return a.item == b.item && a.value_bytes == b.value_bytes &&
                              a.ttl_s == b.ttl_s;
                     }));
    for (const ReplayRequest& request : replay.requests) {
      if (request.item >= replay.item_count) FAIL("item " << request.item);
    }
  }
}

TEST_CASE("There is no workload of an unknown name") {
  CHECK(FindReplayWorkload("zipf-3") == nullptr);
}

TEST_CASE("A higher exponent asks for the most popular item more often") {
  double share_before = 0;
  for (const char* name : {"zipf-0.7", "zipf-0.9", "zipf-0.99", "zipf-1.1"}) {
    const double share = Share(Make(name), [](const auto& request) { return request.item == 0; });
    CHECK(share > share_before);
    share_before = share;
  }
}

TEST_CASE("A tenth of the requests of the scans workload come in long rows, each item once") {
  const Replay replay = Make("scans", 1'000'000);
  const auto is_scan = [](const ReplayRequest& request) { return request.item >= 1'000'000; };
  CHECK(Share(replay, is_scan) == Approx(0.1));
  std::set<uint32_t> scanned;
  for (const ReplayRequest& request : replay.requests) {
    if (is_scan(request)) scanned.insert(request.item);
  }
  CHECK(scanned.size() == 100'000);
}

TEST_CASE("An item of the mixed workload has the same size whenever it is asked for") {
  std::vector<uint32_t> size_of_item(300'000);
  std::set<uint32_t> sizes;
  for (const ReplayRequest& request : Make("mixed").requests) {
    uint32_t& size = size_of_item[request.item];
    if (size != 0 && size != request.value_bytes) FAIL("item " << request.item);
    size = request.value_bytes;
    sizes.insert(size);
  }
  CHECK(sizes.size() > 1000);
}

TEST_CASE("What is popular at the end of the drift is mostly not what was popular at its begin") {
  const ReplayWorkload* workload = FindReplayWorkload("drift");
  const Replay replay = MakeReplay(*workload, workload->request_count);
  const auto popular_in = [&replay](size_t begin, size_t end) {
    std::vector<uint32_t> counts(replay.item_count);
    for (size_t at = begin; at < end; ++at) ++counts[replay.requests[at].item];
    std::set<uint32_t> popular;
    for (uint32_t item = 0; item < replay.item_count; ++item) {
      if (counts[item] >= 50) popular.insert(item);
    }
    return popular;
  };
  const std::set<uint32_t> first = popular_in(0, 200'000);
  const std::set<uint32_t> last =
      popular_in(replay.requests.size() - 200'000, replay.requests.size());
  REQUIRE(first.size() > 50);
  REQUIRE(last.size() > 50);
  const auto still = std::count_if(first.begin(), first.end(),
                                   [&last](uint32_t item) { return last.contains(item); });
  CHECK(double(still) < 0.3 * double(first.size()));
}

TEST_CASE("Three of four items expire, each always after the same time of 5 to 19 seconds") {
  const Replay replay = Make("expiring");
  std::vector<uint32_t> ttl_of_item(replay.item_count, UINT32_MAX);
  uint32_t items = 0, expiring = 0;
  for (const ReplayRequest& request : replay.requests) {
    uint32_t& ttl_s = ttl_of_item[request.item];
    if (ttl_s == UINT32_MAX) {
      ++items;
      expiring += request.ttl_s > 0;
    } else if (ttl_s != request.ttl_s) {
      FAIL("item " << request.item);
    }
    ttl_s = request.ttl_s;
    if (ttl_s != 0 && (ttl_s < 5 || ttl_s > 19)) FAIL("ttl " << ttl_s);
  }
  CHECK(double(expiring) / items == Approx(0.75).epsilon(0.02));
}

TEST_CASE("The shift comes where counting starts, and no item is on both sides of it") {
  const Replay replay = Make("shift");
  uint32_t highest_before = 0, lowest_after = UINT32_MAX;
  for (size_t at = 0; at < replay.requests.size(); ++at) {
    const ReplayRequest& request = replay.requests[at];
    const bool is_before = at < replay.counted_from;
    if (request.value_bytes != (is_before ? 100 : 2048)) FAIL("request " << at);
    if (is_before) highest_before = std::max(highest_before, request.item);
    if (!is_before) lowest_after = std::min(lowest_after, request.item);
  }
  CHECK(highest_before < lowest_after);
}

}  // namespace
}  // namespace larder::bench
