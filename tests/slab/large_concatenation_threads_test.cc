// append and prepend by steps, from several threads to the same keys.
#include <catch2/catch.hpp>

#include <atomic>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/slab/cache_fixture.h"

namespace larder::slab {
namespace {

// Values of blocks: each of 64 KiB of one letter. What is torn shows a block of two.
constexpr size_t kBlock = 64 * 1024;

std::string Blocks(std::mt19937_64& random, size_t count) {
  std::string blocks;
  for (size_t i = 0; i < count; ++i) blocks.append(kBlock, static_cast<char>('a' + random() % 26));
  return blocks;
}

bool AreWhole(std::string_view value) {
  if (value.size() % kBlock != 0) return false;
  for (size_t at = 0; at < value.size(); at += kBlock) {
    const std::string_view block = value.substr(at, kBlock);
    if (block.find_first_not_of(block.front()) != std::string_view::npos) return false;
  }
  return true;
}

// One of several threads that store to, append to and remove the same few large values.
class Appender {
 public:
  Appender(Cache& cache, uint64_t seed) : cache_(cache), user_(cache), random_(seed) {}

  void Run(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string key = Numbered("k", random_() % 3);
      const uint64_t choice = random_() % 16;
      if (choice < 2) {
        Store(key, Blocks(random_, 1 + random_() % 20), {});
      } else if (choice == 2) {
        user_.Remove(key);
      } else {
        Concatenate(key);
      }
      Look(key);
      user_.NextTurn();
    }
  }
  int torn_count = 0;
  int refused_count = 0;
  int abandoned_count = 0;
  int stored_count = 0;

 private:
  void Look(const std::string& key) {
    const Hit hit = cache_.Get(user_.worker(), key);
    if (hit && !AreWhole(hit.value)) ++torn_count;
    if (hit && hit.value.size() > 4 * kMiB) user_.Remove(key);
  }
  void Concatenate(const std::string& key) {
    const StoreMode mode = random_() % 2 == 0 ? StoreMode::kAppend : StoreMode::kPrepend;
    Store(key, Blocks(random_, 1 + random_() % 20), {.mode = mode, .vivifies = random_() % 2 == 0});
  }
  void Store(const std::string& key, const std::string& value, const CommitSpec& spec) {
    Reservation begun = cache_.Reserve(
        user_.worker(),
        {.key = key, .value_bytes = static_cast<uint32_t>(value.size()), .may_wait = true});
    if (begun.Status() == ReserveStatus::kAwaitsRoom) cache_.AwaitRoom(begun, [] {});
    while (begun.Status() == ReserveStatus::kAwaitsRoom) {
      user_.NextTurn();
      (void)cache_.TakeRoom(user_.worker(), begun);
    }
    if (!begun) return static_cast<void>(++refused_count);
    std::memcpy(begun.Value().data(), value.data(), value.size());
    UnfinishedStore rest;
    StoreResult result = cache_.Commit(user_.worker(), std::move(begun), spec, &rest);
    if (rest != nullptr) cache_.AwaitRoom(rest, [] {});
    while (rest != nullptr) {
      user_.NextTurn();
      if (random_() % 200 == 0) {
        ++abandoned_count;
        return;
      }
      result = cache_.ContinueCommit(user_.worker(), rest);
    }
    stored_count += result.status == StoreStatus::kStored ? 1 : 0;
  }

  Cache& cache_;
  CacheUser user_;
  std::mt19937_64 random_;
};

TEST_CASE("large values that several threads append to, replace and remove are never torn") {
  CacheFixture fixture({.limit_bytes = 48 * kMiB, .item_bytes_max = 16 * kMiB});
  std::atomic<bool> is_over{false};
  std::thread maker([&] {
    while (!is_over) {
      if (fixture.cache->MakeRoom() != Cache::RoomWork::kMore) std::this_thread::yield();
    }
  });
  std::atomic<int> torn{0};
  std::atomic<int> refused{0};
  std::atomic<int> stored{0};
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      Appender appender(*fixture.cache, i);
      appender.Run(60);
      torn += appender.torn_count;
      refused += appender.refused_count;
      stored += appender.stored_count;
    });
  }
  for (std::thread& thread : threads) thread.join();
  is_over = true;
  maker.join();
  CHECK(torn == 0);
  CHECK(refused == 0);
  CHECK(stored > 60);
  CHECK(fixture.cache->Stats().used_bytes <= 48 * kMiB);
}

}  // namespace
}  // namespace larder::slab
