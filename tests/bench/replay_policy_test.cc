#include "tests/bench/replay_policy.h"

#include <catch2/catch.hpp>
#include <initializer_list>
#include <random>
#include <vector>

#include "tests/bench/zipf.h"

namespace larder::bench {
namespace {

Replay Sequence(std::initializer_list<uint32_t> items) {
  Replay replay{.requests = {}, .item_count = 1000};
  for (const uint32_t item : items) replay.requests.push_back({.item = item, .value_bytes = 75});
  return replay;
}

using Make = std::unique_ptr<ReplayPolicy> (*)(const Replay& replay, uint64_t capacity);

std::unique_ptr<ReplayPolicy> Lru(const Replay& replay, uint64_t capacity) {
  return MakeLru(replay.item_count, capacity);
}
std::unique_ptr<ReplayPolicy> S3Fifo(const Replay& replay, uint64_t capacity) {
  return MakeS3Fifo(replay.item_count, capacity);
}

uint64_t Misses(Make make, const Replay& replay, uint64_t capacity, Weigh weigh = Weigh::kItems) {
  return Simulate(replay, weigh, *make(replay, capacity)).Total();
}

// Stores the item as a read-through cache does, unless it is there.
bool ReadThrough(ReplayPolicy& policy, uint32_t item, uint64_t weight = 1) {
  if (policy.Read(item, 0)) return true;
  policy.Store(item, weight, 0, ReplayPolicy::kNever);
  return false;
}

// The sequence by which Belady showed that FIFO can miss more in more memory; textbooks have the
// counts for the others.
const Replay kTextbook = Sequence({1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5});

TEST_CASE("LRU misses the textbook's sequence 10 times with 3 places and 8 times with 4") {
  CHECK(Misses(Lru, kTextbook, 3) == 10);
  CHECK(Misses(Lru, kTextbook, 4) == 8);
  CHECK(Misses(Lru, kTextbook, 5) == 5);
}

TEST_CASE("Belady's optimum misses the textbook's sequence 7 times with 3 places, 6 with 4") {
  CHECK(Misses(MakeBelady, kTextbook, 3) == 7);
  CHECK(Misses(MakeBelady, kTextbook, 4) == 6);
  CHECK(Misses(MakeBelady, kTextbook, 5) == 5);
}

TEST_CASE("Belady's optimum does not keep an item that is farther away than all it holds") {
  // With one place, 1 must survive the requests for 2 and 3.
  CHECK(Misses(MakeBelady, Sequence({1, 2, 1, 3, 1}), 1) == 3);
}

TEST_CASE("A cache as large as the sequence misses each item once, whatever its policy") {
  const Make make = GENERATE(Make{Lru}, Make{S3Fifo}, Make{MakeBelady});
  CHECK(Misses(make, kTextbook, 5) == 5);
}

TEST_CASE("The first requests' misses are not counted") {
  Replay replay = kTextbook;
  replay.counted_from = 4;
  CHECK(Misses(Lru, replay, 3) == 6);
  replay.counted_from = replay.requests.size();
  CHECK(Misses(Lru, replay, 3) == 0);
}

TEST_CASE("LRU by bytes pushes out as many old items as the new one needs") {
  const auto lru = MakeLru(10, 10);
  CHECK_FALSE(ReadThrough(*lru, 0, 4));
  CHECK_FALSE(ReadThrough(*lru, 1, 4));
  CHECK(ReadThrough(*lru, 0, 4));
  CHECK_FALSE(ReadThrough(*lru, 2, 6));  // 1 has to go, 0 may stay
  CHECK(lru->Read(0, 0));
  CHECK_FALSE(lru->Read(1, 0));
  CHECK_FALSE(ReadThrough(*lru, 3, 7));  // both
  CHECK_FALSE(lru->Read(0, 0));
  CHECK_FALSE(lru->Read(2, 0));
}

TEST_CASE("An item heavier than the whole cache is not taken and costs no other its place") {
  const Make make = GENERATE(Make{Lru}, Make{S3Fifo}, Make{MakeBelady});
  const Replay replay = Sequence({1, 2, 2, 1});
  const auto policy = make(replay, 10);
  policy->Store(1, 10, 0, ReplayPolicy::kNever);
  policy->Store(2, 11, 1, ReplayPolicy::kNever);
  CHECK_FALSE(policy->Read(2, 2));
  CHECK(policy->Read(1, 3));
}

TEST_CASE("A key counts with its 25 bytes where bytes are weighed") {
  // Two items of 75 + 25 bytes fit into 200, not into 199.
  const Replay replay = Sequence({1, 2, 1, 2});
  CHECK(Misses(Lru, replay, 200, Weigh::kBytes) == 2);
  CHECK(Misses(Lru, replay, 199, Weigh::kBytes) == 4);
}

TEST_CASE("S3-FIFO keeps what was read twice when a scan goes through") {
  const auto cache = MakeS3Fifo(1000, 10);
  for (int round = 0; round < 3; ++round) {
    for (uint32_t item = 0; item < 5; ++item) ReadThrough(*cache, item);
  }
  for (uint32_t item = 100; item < 150; ++item) CHECK_FALSE(ReadThrough(*cache, item));
  for (uint32_t item = 0; item < 5; ++item) CHECK(cache->Read(item, 0));
}

TEST_CASE("S3-FIFO lets go what was read once only") {
  const auto cache = MakeS3Fifo(1000, 10);
  ReadThrough(*cache, 0);
  CHECK(ReadThrough(*cache, 0));
  for (uint32_t item = 100; item < 150; ++item) ReadThrough(*cache, item);
  CHECK_FALSE(cache->Read(0, 0));
}

TEST_CASE("S3-FIFO takes an item that comes back soon into its main queue") {
  const auto cache = MakeS3Fifo(1000, 10);
  for (uint32_t item = 0; item < 11; ++item) ReadThrough(*cache, item);
  CHECK_FALSE(ReadThrough(*cache, 0));  // pushed out by item 10, and remembered
  for (uint32_t item = 100; item < 150; ++item) ReadThrough(*cache, item);
  CHECK(cache->Read(0, 0));
  CHECK_FALSE(cache->Read(5, 0));
}

TEST_CASE("S3-FIFO's main queue gives the oldest another turn if it was read") {
  const auto main_of_0_and_1 = [] {
    auto cache = MakeS3Fifo(10, 2);
    for (const uint32_t item : {0u, 1u, 2u, 0u, 1u}) ReadThrough(*cache, item);
    return cache;
  };
  const auto unread = main_of_0_and_1();
  CHECK_FALSE(ReadThrough(*unread, 2));
  CHECK_FALSE(unread->Read(0, 0));
  CHECK(unread->Read(1, 0));

  const auto with_a_read = main_of_0_and_1();
  CHECK(with_a_read->Read(0, 0));
  CHECK_FALSE(ReadThrough(*with_a_read, 2));
  CHECK(with_a_read->Read(0, 0));
  CHECK_FALSE(with_a_read->Read(1, 0));
}

// A cache of 20 places whose main queue has 18 items, which were read twice when they were new.
std::unique_ptr<ReplayPolicy> S3FifoWithFullMain() {
  auto cache = MakeS3Fifo(1000, 20);
  for (int round = 0; round < 3; ++round) {
    for (uint32_t item = 0; item < 20; ++item) ReadThrough(*cache, item);
  }
  for (uint32_t item = 100; item < 150; ++item) ReadThrough(*cache, item);
  return cache;
}

TEST_CASE("S3-FIFO gives a tenth of its room to items that were not read since they came") {
  const auto cache = S3FifoWithFullMain();
  for (uint32_t item = 100; item < 148; ++item) CHECK_FALSE(cache->Read(item, 0));
  for (uint32_t item = 148; item < 150; ++item) CHECK(cache->Read(item, 0));
  for (uint32_t item = 2; item < 20; ++item) CHECK(cache->Read(item, 0));
}

// How many items that earn a place in main it takes until one there has to go that was read so
// often.
uint32_t ItemsOutlived(int read_count) {
  for (uint32_t newcomers = 0; newcomers < 500; ++newcomers) {
    const auto cache = S3FifoWithFullMain();
    for (int i = 0; i < read_count; ++i) cache->Read(10, 0);
    for (uint32_t item = 200; item < 200 + newcomers; ++item) {
      for (int round = 0; round < 3; ++round) ReadThrough(*cache, item);
    }
    if (!cache->Read(10, 0)) return newcomers;
  }
  return 500;
}

TEST_CASE("Each read up to the third buys an item in S3-FIFO's main queue another turn") {
  CHECK(ItemsOutlived(0) < ItemsOutlived(1));
  CHECK(ItemsOutlived(1) < ItemsOutlived(2));
  CHECK(ItemsOutlived(2) < ItemsOutlived(3));
  CHECK(ItemsOutlived(3) == ItemsOutlived(10));
}

TEST_CASE("An item is gone in the very request in which its time is up") {
  Replay replay = Sequence({1, 1});
  replay.requests_per_second = 1;
  replay.requests[0].ttl_s = 1;
  CHECK(Misses(Lru, replay, 2) == 2);
  replay.requests[0].ttl_s = 2;
  CHECK(Misses(Lru, replay, 2) == 1);
}

TEST_CASE("An expired item is a miss, and its place is free") {
  const Make make = GENERATE(Make{Lru}, Make{S3Fifo}, Make{MakeBelady});
  Replay replay = Sequence({1, 2, 3, 3, 2, 1});
  replay.requests_per_second = 2;
  replay.requests[0].ttl_s = 1;  // gone when the third request comes
  // With two places: 3 takes that of 1, and 2 keeps its own.
  CHECK(Misses(make, replay, 2) == 4);
}

TEST_CASE("Belady's optimum gives no place to what expires before it is asked for again") {
  Replay replay = Sequence({1, 2, 3, 1, 2});
  replay.requests_per_second = 1;
  CHECK(Misses(MakeBelady, replay, 1) == 4);  // 1 stays, which is asked for before 2
  replay.requests[0].ttl_s = 2;
  CHECK(Misses(MakeBelady, replay, 1) == 4);  // 2 stays: 1 would not be there
}

TEST_CASE("Belady's optimum forgets what it expected of an item that expired") {
  Replay replay = Sequence({1, 1, 2, 1, 1, 2});
  replay.requests_per_second = 1;
  replay.requests[0].ttl_s = 1;  // the first 1 is never read again, the second one soon
  CHECK(Misses(MakeBelady, replay, 1) == 4);
}

TEST_CASE("An item that is stored anew before its time was up does not expire at its old time") {
  const Make make = GENERATE(Make{Lru}, Make{S3Fifo});
  Replay replay = Sequence({1, 2, 3, 1, 1, 1, 1});
  replay.requests_per_second = 1;
  replay.requests[0].ttl_s = 5;  // 3 pushes it out before
  CHECK(Misses(make, replay, 2) == 4);
}

TEST_CASE("Misses are told second by second where a replay has a clock") {
  Replay replay = Sequence({1, 2, 1, 3, 4, 1, 5});
  replay.requests_per_second = 2;
  replay.counted_from = 1;
  const MissCount misses = Simulate(replay, Weigh::kItems, *MakeLru(10, 10));
  CHECK(misses.Total() == 4);
  CHECK(misses.BySecond() == std::vector<uint64_t>{1, 2, 1});
}

TEST_CASE("On Zipf with scans the optimum misses least, S3-FIFO next, LRU most") {
  std::mt19937_64 random(1);
  const Zipf zipf(10'000, 0.9);
  Replay replay{.requests = {}, .item_count = 30'000};
  for (uint32_t i = 0; i < 100'000; ++i) {
    const uint32_t item = i % 1000 < 800 ? zipf.Draw(random) : 10'000 + i / 1000 * 200 + i % 200;
    replay.requests.push_back({.item = item, .value_bytes = 1});
  }
  const uint64_t lru = Misses(Lru, replay, 1000);
  const uint64_t s3fifo = Misses(S3Fifo, replay, 1000);
  const uint64_t optimum = Misses(MakeBelady, replay, 1000);
  CHECK(optimum < s3fifo);
  CHECK(s3fifo < lru);
}

}  // namespace
}  // namespace larder::bench
