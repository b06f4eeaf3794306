// Very large values wait for memory: what they get, in which order, and what is left when they go.
#include <catch2/catch.hpp>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cache_fixture.h"

namespace larder::slab {
namespace {

constexpr uint32_t kBytes = 3'200'000;  // ten of them fit half of 64 MiB

// A cache full of small items.
class Waiters : public OneUser {
 public:
  explicit Waiters(bool evict = true)
      : OneUser({.limit_bytes = 64 * kMiB, .evict = evict, .item_bytes_max = 16 * kMiB}) {
    const std::string small(1000, 's');
    for (uint64_t i = 0; i < 80'000; ++i) {
      if (!user.TryStore(Numbered("small", i), small)) break;
      if (i % 500 == 0) user.NextTurn();
    }
  }

  Reservation Begin(uint64_t number, uint32_t bytes = kBytes) {
    const std::string key = Numbered("large", number);
    Reservation begun =
        cache->Reserve(user.worker(), {.key = key, .value_bytes = bytes, .may_wait = true});
    if (begun.Status() == ReserveStatus::kAwaitsRoom) {
      cache->AwaitRoom(begun, [this] { ++wake_count; });
    }
    return begun;
  }
  // As much as can be done now.
  Cache::RoomWork Work() {
    Cache::RoomWork work = Cache::RoomWork::kMore;
    user.BetweenTurns([&] {
      while (work == Cache::RoomWork::kMore) work = cache->MakeRoom();
    });
    return work;
  }
  RoomStatus Look(Reservation& begun) { return cache->TakeRoom(user.worker(), begun); }
  StoreStatus Finish(Reservation begun) {
    REQUIRE(begun.Value().size() == kBytes);
    begun.Value().front() = 'f';
    begun.Value().back() = 'b';
    return cache->Commit(user.worker(), std::move(begun), {}).status;
  }
  [[nodiscard]] uint64_t ExtentBytes() const {
    const CacheStats stats = cache->Stats();
    return stats.extent_bytes;
  }

  std::atomic<int> wake_count{0};
};

TEST_CASE(
    "as many large values as half of the memory holds are stored at a time; the next one waits") {
  Waiters fixture;
  std::vector<Reservation> begun;
  for (uint64_t i = 0; i < 11; ++i) begun.push_back(fixture.Begin(i));
  CHECK(begun[0].Status() == ReserveStatus::kAwaitsRoom);
  CHECK(begun[0].Value().empty());
  CHECK(fixture.Look(begun[0]) == RoomStatus::kWaiting);
  CHECK(fixture.Work() == Cache::RoomWork::kBlocked);
  CHECK(fixture.wake_count == 10);
  for (size_t i = 0; i < 10; ++i) REQUIRE(fixture.Look(begun[i]) == RoomStatus::kReady);
  CHECK(fixture.Look(begun[10]) == RoomStatus::kWaiting);
  CHECK(fixture.user.TryStore("more", "small"));
  REQUIRE(fixture.Finish(std::move(begun[3])) == StoreStatus::kStored);
  CHECK(fixture.Work() == Cache::RoomWork::kIdle);
  REQUIRE(fixture.Look(begun[10]) == RoomStatus::kReady);
  for (const uint32_t i : {0U, 1U, 2U, 4U, 5U, 6U, 7U, 8U, 9U, 10U}) {
    REQUIRE(fixture.Finish(std::move(begun[i])) == StoreStatus::kStored);
  }
  const Hit hit = fixture.cache->Get(fixture.user.worker(), "large10");
  REQUIRE(hit.value.size() == kBytes);
  CHECK(hit.value.front() == 'f');
  CHECK(fixture.cache->Stats().used_bytes <= 64 * kMiB);
}

TEST_CASE("a client that goes away while it waits leaves nothing behind") {
  Waiters fixture;
  std::vector<Reservation> begun;
  for (uint64_t i = 0; i < 11; ++i) begun.push_back(fixture.Begin(i));
  const auto is_granted = GENERATE(false, true);
  if (is_granted) fixture.Work();
  // The first, one of those behind it, and the last, who waits in any case.
  for (const uint32_t i : {0U, 4U, 10U}) begun[i].Abandon();
  fixture.Work();
  CHECK(fixture.ExtentBytes() >= 8 * uint64_t{kBytes});
  begun.clear();
  CHECK(fixture.ExtentBytes() == 0);
  fixture.Work();
  // All of the part for values under way is there again.
  for (uint64_t i = 0; i < 10; ++i) begun.push_back(fixture.Begin(20 + i));
  CHECK(fixture.Work() == Cache::RoomWork::kIdle);
  for (Reservation& one : begun) {
    if (one.Status() == ReserveStatus::kReserved) continue;
    REQUIRE(fixture.Look(one) == RoomStatus::kReady);
  }
}

TEST_CASE("who waits behind clients that never finish is refused in the end") {
  Waiters fixture;
  std::vector<Reservation> begun;
  for (uint64_t i = 0; i < 12; ++i) begun.push_back(fixture.Begin(i));
  CHECK(fixture.Work() == Cache::RoomWork::kBlocked);
  fixture.user.BetweenTurns([&] { fixture.CacheFixture::Tick(30); });
  CHECK(fixture.Work() == Cache::RoomWork::kBlocked);
  CHECK(fixture.Look(begun[10]) == RoomStatus::kWaiting);
  fixture.user.BetweenTurns([&] { fixture.CacheFixture::Tick(1); });
  CHECK(fixture.Work() == Cache::RoomWork::kIdle);
  CHECK(fixture.Look(begun[10]) == RoomStatus::kRefused);
  CHECK(fixture.Look(begun[11]) == RoomStatus::kRefused);
  CHECK(fixture.cache->Stats().store_no_memory == 2);
  for (size_t i = 0; i < 10; ++i) CHECK(fixture.Look(begun[i]) == RoomStatus::kReady);
}

TEST_CASE("what can never be had is refused at once") {
  SECTION("more than half of a limit that was lowered") {
    Waiters fixture;
    REQUIRE(fixture.cache->SetLimit(16 * kMiB));
    CHECK(fixture.Begin(1, 9'000'000).Status() == ReserveStatus::kTooLarge);
    CHECK(fixture.Begin(2, 7'000'000).Status() == ReserveStatus::kAwaitsRoom);
  }
  SECTION("more than a cache without evictions has left") {
    Waiters fixture(false);
    CHECK(fixture.Begin(1).Status() == ReserveStatus::kNoMemory);
  }
}

// One of several threads: values of 1 to 7 MB, some of which it does not wait for, and small ones.
class LargeClient {
 public:
  LargeClient(Cache& cache, uint64_t number)
      : cache_(cache), user_(cache), number_(number), mark_(static_cast<char>('a' + number)) {}

  // Returns what went wrong.
  int Run() {
    for (uint64_t i = 0; i < 30; ++i) {
      const std::string key = Numbered(Numbered("c", number_) + "-", i);
      StoreLarge(key, static_cast<uint32_t>(1'100'000 + 700'000 * ((i + number_) % 9)), i % 7 != 6);
      for (uint64_t j = 0; j < 200; ++j) {
        if (!user_.TryStore(Numbered(key + "small", j), std::string(500, 's'))) ++failed_;
      }
      const Hit hit = cache_.Get(user_.worker(), key);
      if (hit && hit.value.back() != mark_) ++failed_;
      user_.NextTurn();
    }
    return failed_;
  }

 private:
  void StoreLarge(const std::string& key, uint32_t bytes, bool has_patience) {
    Reservation begun =
        cache_.Reserve(user_.worker(), {.key = key, .value_bytes = bytes, .may_wait = true});
    if (begun.Status() == ReserveStatus::kAwaitsRoom) Await(begun, has_patience);
    if (begun.Status() == ReserveStatus::kReserved) {
      begun.Value().front() = begun.Value().back() = mark_;
      cache_.Commit(user_.worker(), std::move(begun), {});
    } else if (has_patience) {
      ++failed_;
    }
  }
  void Await(Reservation& begun, bool has_patience) {
    cache_.AwaitRoom(begun, [] {});
    RoomStatus status = RoomStatus::kWaiting;
    while (has_patience && status == RoomStatus::kWaiting) {
      user_.NextTurn();
      status = cache_.TakeRoom(user_.worker(), begun);
    }
  }

  Cache& cache_;
  CacheUser user_;
  const uint64_t number_;
  const char mark_;
  int failed_ = 0;
};

TEST_CASE("large values that come and go from several threads are whole, and the limit holds") {
  CacheFixture fixture({.limit_bytes = 64 * kMiB, .item_bytes_max = 16 * kMiB});
  std::atomic<bool> is_over{false};
  std::thread maker([&] {
    while (!is_over) {
      if (fixture.cache->MakeRoom() != Cache::RoomWork::kMore) std::this_thread::yield();
    }
  });
  std::atomic<int> failed{0};
  std::vector<std::thread> clients;
  for (uint64_t number = 0; number < 3; ++number) {
    clients.emplace_back([&, number] { failed += LargeClient(*fixture.cache, number).Run(); });
  }
  for (std::thread& client : clients) client.join();
  is_over = true;
  maker.join();
  CHECK(failed == 0);
  CHECK(fixture.cache->Stats().used_bytes <= 64 * kMiB);
}

}  // namespace
}  // namespace larder::slab
