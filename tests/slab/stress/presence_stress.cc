// tests/slab/stress/presence_stress.cc - a key that is present is found at every moment: while the
// index grows under it, while its bucket overflows and closes up, while its item is replaced.
//
// Round after round a fresh cache starts with the smallest index. Its permanent keys are stored
// once; then writers add and remove others until the index has grown many times over, updaters
// replace the permanent items, and readers look for permanent keys only. Nothing is evicted,
// nothing expires: one miss is a failure.
//
// Usage: presence_stress [seconds]
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
#include "slab/race_window.h"

namespace larder::slab {
namespace {

constexpr uint64_t kPermanentKeys = 12'000;  // about 12 a bucket at first: many overflow
constexpr uint64_t kPassingKeys = 40'000;    // per writer; the index grows by a factor of ten
constexpr int kWriters = 2;
constexpr int kUpdaters = 1;
constexpr int kReaders = 3;

std::string Name(const char* kind, uint64_t number) {
  std::string name(kind);
  name += std::to_string(number);
  return name;
}

void Store(Cache& cache, Worker& worker, const std::string& key) {
  Reservation reservation =
      cache.Reserve(worker, {.key = key, .value_bytes = static_cast<uint32_t>(key.size())});
  if (!reservation) {
    std::fprintf(stderr, "presence_stress: a store was refused\n");
    std::abort();
  }
  std::memcpy(reservation.Value().data(), key.data(), key.size());
  cache.Commit(worker, std::move(reservation), {.mode = StoreMode::kSet});
}

class Round {
 public:
  explicit Round(uint64_t seed) : seed_(seed) {
    std::string error;
    cache_ = Cache::Create({.limit_bytes = 64 * kMiB}, clock_, &error);
    if (cache_ == nullptr) std::abort();
    Worker& worker = cache_->AddWorker();
    cache_->Online(worker);
    for (uint64_t i = 0; i < kPermanentKeys; ++i) Store(*cache_, worker, Name("stays-", i));
    cache_->Offline(worker);
  }

  void Run() {
    std::vector<std::thread> writers;
    std::vector<std::thread> others;
    for (int i = 0; i < kWriters; ++i) writers.emplace_back([this, i] { Write(i); });
    for (int i = 0; i < kUpdaters; ++i) others.emplace_back([this, i] { Update(i); });
    for (int i = 0; i < kReaders; ++i) others.emplace_back([this, i] { Read(i); });
    for (std::thread& thread : writers) thread.join();
    stop_ = true;
    for (std::thread& thread : others) thread.join();
    if (cache_->Stats().sum.evicted != 0) std::abort();
  }

  [[nodiscard]] uint64_t ReadCount() const { return reads_; }
  [[nodiscard]] uint32_t IndexPower() const { return cache_->Stats().index_power; }

 private:
  std::mt19937_64 Random(int salt) const {
    return std::mt19937_64(seed_ * 1000 + static_cast<uint64_t>(salt));
  }

  // One in three of the passing keys is removed again soon, so buckets overflow and close up.
  void Write(int number) {
    std::mt19937_64 random = Random(number);
    Worker& worker = cache_->AddWorker();
    const std::string kind = Name("passes-", static_cast<uint64_t>(number)) + "-";
    for (uint64_t i = 0; i < kPassingKeys; ++i) {
      cache_->Online(worker);
      Store(*cache_, worker, Name(kind.c_str(), i));
      if (i % 3 == 0) cache_->Remove(worker, Name(kind.c_str(), random() % (i + 1)));
      cache_->Offline(worker);
    }
  }

  void Update(int number) {
    std::mt19937_64 random = Random(100 + number);
    Worker& worker = cache_->AddWorker();
    while (!stop_) {
      cache_->Online(worker);
      for (int i = 0; i < 16; ++i) {
        Store(*cache_, worker, Name("stays-", random() % kPermanentKeys));
      }
      cache_->Offline(worker);
    }
  }

  void Read(int number) {
    std::mt19937_64 random = Random(200 + number);
    Worker& worker = cache_->AddWorker();
    uint64_t reads = 0;
    while (!stop_) {
      cache_->Online(worker);
      for (int i = 0; i < 64; ++i, ++reads) {
        const std::string key = Name("stays-", random() % kPermanentKeys);
        const Hit hit = cache_->Get(worker, key);
        if (!hit || hit.value != key) {
          std::fprintf(stderr, "presence_stress: %s was %s\n", key.c_str(),
                       hit ? "not whole" : "missed");
          std::abort();
        }
      }
      cache_->Offline(worker);
    }
    reads_ += reads;
  }

  const uint64_t seed_;
  Clock clock_{1'700'000'000};
  std::unique_ptr<Cache> cache_;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> reads_{0};
};

#ifdef LARDER_RACE_WINDOWS
void Stretch(Window) {
  thread_local std::mt19937 random(
      static_cast<uint32_t>(std::hash<std::thread::id>{}(std::this_thread::get_id())));
  if (random() % 256 == 0) sched_yield();
}
#endif

int Run(int seconds) {
#ifdef LARDER_RACE_WINDOWS
  SetRaceHook(&Stretch);
#endif
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  uint64_t rounds = 0;
  uint64_t reads = 0;
  uint32_t index_power = 0;
  do {
    Round round(++rounds);
    round.Run();
    reads += round.ReadCount();
    index_power = round.IndexPower();
  } while (std::chrono::steady_clock::now() < end);
  std::printf("%" PRIu64 " rounds, %" PRIu64 " reads without a miss, index grown to 2^%u buckets\n",
              rounds, reads, index_power);
  return index_power > 11 ? 0 : 1;  // else nothing was proved
}

}  // namespace
}  // namespace larder::slab

int main(int argc, char** argv) { return larder::slab::Run(argc > 1 ? std::atoi(argv[1]) : 20); }
