// tests/slab/stress/sweep_stress.cc - the sweeper at work while everything else is: no item is lost
// that is alive, and no expiry is.
//
// Each writer has keys of its own and knows of each when it expires. It stores, touches and reads
// them, while a clock runs in which a second takes milliseconds, and sweepers with it. A key
// that by its writer's books was alive before and after a read must be found. In the end all others
// have expired; a while later, without another request, the cache must hold the ever-lasting keys
// and nothing else: had the sweeper forgotten one expiry, its item would be left over. Then all are
// flushed, and must be gone as well.
//
// Usage: sweep_stress [seconds]
#include <sched.h>

#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "slab/cache.h"
#include "slab/expiry.h"
#include "slab/race_window.h"

namespace larder::slab {
namespace {

constexpr int kWriters = 4;
constexpr uint32_t kSweepers = 2;
constexpr uint64_t kKeysPerWriter = 3'000;
constexpr uint32_t kLifeMaxS = 12;
constexpr uint32_t kRoundS = 60;  // of the cache's own clock
constexpr uint32_t kPatienceS = 10;

[[noreturn]] void Fail(const char* what, uint64_t number) {
  std::fprintf(stderr, "sweep_stress: %s (%" PRIu64 ")\n", what, number);
  std::abort();
}

class Round {
 public:
  explicit Round(uint64_t seed) : seed_(seed) {
    std::string error;
    const CacheConfig config{.limit_bytes = 128 * kMiB, .sweeper_count = kSweepers};
    cache_ = Cache::Create(config, clock_, &error);
    if (cache_ == nullptr) std::abort();
  }

  void Run() {
    std::vector<std::thread> writers;
    for (int i = 0; i < kWriters; ++i) writers.emplace_back([this, i] { Write(i); });
    std::vector<std::thread> sweepers;
    for (uint32_t number = 0; number < kSweepers; ++number) {
      sweepers.emplace_back([this, number] {
        while (!stop_) Sweep(number);
      });
    }
    for (uint32_t second = 0; second < kRoundS; ++second) TickSlowly();
    stop_ = true;
    for (std::thread& writer : writers) writer.join();
    for (std::thread& sweeper : sweepers) sweeper.join();
    for (uint32_t second = 0; second < kLifeMaxS + kPatienceS; ++second) TickSlowly();
    const CacheStats stats = cache_->Stats();
    if (stats.sum.evicted != 0) Fail("the cache is too small to prove anything", 0);
    if (stats.sum.item_count != lasting_count_) {
      Fail("items are left over or missing", stats.sum.item_count);
    }
    freed_ = stats.sweeper_freed;
    Worker& worker = cache_->AddWorker();
    cache_->Online(worker);
    cache_->FlushNow(worker);
    cache_->Offline(worker);
    for (uint32_t step = 0; step < 200; ++step) Sweep(step % kSweepers);
    if (cache_->Stats().sum.item_count != 0) Fail("flushed items are left over", 0);
  }

  [[nodiscard]] uint64_t FreedCount() const { return freed_; }

 private:
  void Sweep(uint32_t number) {
    if (!cache_->Sweep(number)) std::this_thread::sleep_for(std::chrono::microseconds(300));
  }
  // A second of ten ticks, as the server's. While writers are at work each part is swept by two
  // threads in turns.
  void TickSlowly() {
    for (int tick = 0; tick < 10; ++tick) {
      cache_->Maintain(clock_.NowSeconds());
      std::this_thread::sleep_for(std::chrono::microseconds(300));
    }
    clock_.Set(clock_.NowSeconds() + 1);
  }

  void Write(int number) {
    std::mt19937_64 random(seed_ * 100 + static_cast<uint64_t>(number));
    std::vector<uint32_t> expires_s(kKeysPerWriter, kAlreadyExpired);  // the books
    Worker& worker = cache_->AddWorker();
    const auto key_of = [number](uint64_t i) {
      return std::to_string(number) + "-" + std::to_string(i);
    };
    while (!stop_) {
      cache_->Online(worker);
      for (int i = 0; i < 32; ++i) {
        const uint64_t chosen = random() % kKeysPerWriter;
        DoOne(worker, random, key_of(chosen), expires_s[chosen]);
      }
      cache_->Offline(worker);
    }
    for (const uint32_t second : expires_s) lasting_count_ += second == kNeverExpires ? 1 : 0;
  }

  void DoOne(Worker& worker, std::mt19937_64& random, const std::string& key, uint32_t& expires_s) {
    const uint32_t before_s = clock_.NowSeconds();
    const auto life_s = static_cast<uint32_t>(random() % (kLifeMaxS + 1));
    const uint32_t wanted_s = life_s == 0 ? kNeverExpires : before_s + life_s;
    bool was_found = false;
    const uint64_t action = random() % 4;
    if (action == 0) {
      Store(worker, key, wanted_s);
      expires_s = wanted_s;
      return;
    }
    const uint32_t booked_s = expires_s;
    if (action == 1) {
      was_found = cache_->Touch(worker, key, wanted_s);
      if (was_found) expires_s = wanted_s;
    } else {
      const Hit hit = cache_->Get(worker, key);
      was_found = static_cast<bool>(hit);
      if (hit && hit.value.substr(0, key.size()) != key) Fail("a value is not whole", booked_s);
    }
    const uint32_t after_s = clock_.NowSeconds();
    if (!was_found && !IsExpired(booked_s, after_s)) Fail("an item was lost", booked_s);
    if (was_found && IsExpired(booked_s, before_s)) Fail("an expired item was served", booked_s);
  }

  void Store(Worker& worker, const std::string& key, uint32_t expires_s) {
    // Different sizes: an item's chunk, and so its stretch of memory, changes with each store.
    const auto value_bytes = static_cast<uint32_t>(key.size() + ++store_count_ % 7 * 40);
    Reservation reservation =
        cache_->Reserve(worker, {.key = key, .expires_s = expires_s, .value_bytes = value_bytes});
    if (!reservation) Fail("a store was refused", value_bytes);
    std::memset(reservation.Value().data(), 'v', value_bytes);
    std::memcpy(reservation.Value().data(), key.data(), key.size());
    cache_->Commit(worker, std::move(reservation), {.mode = StoreMode::kSet});
  }

  const uint64_t seed_;
  Clock clock_{1'700'000'000};
  std::unique_ptr<Cache> cache_;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> lasting_count_{0};
  std::atomic<uint32_t> store_count_{0};
  uint64_t freed_ = 0;
};

#ifdef LARDER_RACE_WINDOWS
void Stretch(Window window) {
  thread_local std::mt19937 random(
      static_cast<uint32_t>(std::hash<std::thread::id>{}(std::this_thread::get_id())));
  const bool is_the_sweepers =
      window == Window::kRegionsClearedNotVisited || window == Window::kExpirySetNotNoted;
  if (random() % (is_the_sweepers ? 8 : 256) == 0) sched_yield();
}
#endif

int Run(int seconds) {
#ifdef LARDER_RACE_WINDOWS
  SetRaceHook(&Stretch);
#endif
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  uint64_t rounds = 0;
  uint64_t freed = 0;
  do {
    Round round(++rounds);
    round.Run();
    freed += round.FreedCount();
  } while (std::chrono::steady_clock::now() < end);
  std::printf("%" PRIu64 " rounds, %" PRIu64 " items swept, none lost, none left over\n", rounds,
              freed);
  return freed > 0 ? 0 : 1;  // else nothing was proved
}

}  // namespace
}  // namespace larder::slab

int main(int argc, char** argv) { return larder::slab::Run(argc > 1 ? std::atoi(argv[1]) : 20); }
