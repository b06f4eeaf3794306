// tests/slab/property/memory_property.cc - no out of memory, ever: scenario after scenario, drawn
// at random, in which several threads store values of all sizes into a cache that is full.
//
// What must hold in every scenario:
//   - with evictions on no store is refused, unless the object is larger than what the empty cache
//     takes; that bound is the same at every moment
//   - with evictions off a store is refused only when the memory is all taken
//   - the resident memory of the process grows by no more than the limit and a stated allowance:
//     stacks, what the allocator keeps beside the arena, the tables of pages
//   - what the cache says it has taken stays within the limit
// A scenario is drawn from its number alone, so a failure is repeated with the number it names.
//
// Usage: memory_property [seconds] [number of the first scenario] [allowance MiB; 0: unwatched]
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "slab/cache.h"

namespace larder::slab {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kScenarioTime{600};
constexpr milliseconds kTick{5};
constexpr uint32_t kStoresPerTurn = 16;

enum class Mix : uint8_t { kSmall, kLogNormal, kAnySize, kShifting, kTwoSizes, kMostlyLargest };
constexpr std::array<const char*, 6> kMixNames = {"small",    "log-normal", "any size",
                                                  "shifting", "two sizes",  "mostly the largest"};

struct Scenario {
  uint64_t number = 0;
  CacheConfig config;
  uint32_t thread_count = 1;
  Mix mix = Mix::kSmall;
};

// Limits are small, because scarcity is what is looked for: with few pages every class has to get
// its own from another.
Scenario Draw(uint64_t number) {
  std::mt19937_64 random(number);
  const auto below = [&random](uint64_t bound) { return random() % bound; };
  Scenario scenario;
  scenario.number = number;
  scenario.mix = static_cast<Mix>(below(kMixNames.size()));
  scenario.thread_count = 1 + static_cast<uint32_t>(below(6));
  CacheConfig& config = scenario.config;
  config.limit_bytes = (8 + below(8) * below(8)) * kMiB + below(2) * below(kMiB);
  config.evict = below(8) != 0;
  config.use_cas = below(3) != 0;
  if (below(2) == 0) config.growth_factor = 1.05 + 0.05 * static_cast<double>(below(20));
  config.smallest_item_bytes = 16 + static_cast<uint32_t>(below(100));
  config.item_bytes_max = 1024U << below(11);  // up to 1 MiB
  config.rebalance = below(4) != 0;
  return scenario;
}

std::string Describe(const Scenario& scenario) {
  const CacheConfig& config = scenario.config;
  std::array<char, 256> text{};
  std::snprintf(text.data(), text.size(),
                "scenario %" PRIu64 " (limit %" PRIu64
                ", %u threads, %s, evictions %s, cas %s, factor %.2f, smallest %u, largest %u, "
                "rebalancing %s)",
                scenario.number, config.limit_bytes, scenario.thread_count,
                kMixNames.at(static_cast<size_t>(scenario.mix)), config.evict ? "on" : "off",
                config.use_cas ? "on" : "off", config.growth_factor, config.smallest_item_bytes,
                config.item_bytes_max, config.rebalance ? "on" : "off");
  return text.data();
}

[[noreturn]] void Fail(const Scenario& scenario, const std::string& what) {
  std::fprintf(stderr, "memory_property: %s: %s\n", Describe(scenario).c_str(), what.c_str());
  std::exit(EXIT_FAILURE);
}

uint64_t ResidentBytes() {
  uint64_t total_pages = 0;
  uint64_t resident_pages = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  const int found = std::fscanf(file, "%" SCNu64 " %" SCNu64, &total_pages, &resident_pages);
  std::fclose(file);
  return found == 2 ? resident_pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

// The largest value that the empty cache takes under a key of Name's length.
uint32_t LargestValueBytes(Cache& cache, Worker& worker, std::string_view key, uint32_t bytes_max) {
  uint32_t taken = 0;
  uint32_t refused = bytes_max;
  cache.Online(worker);
  while (refused - taken > 1) {
    const uint32_t middle = taken + (refused - taken) / 2;
    const Reservation probe = cache.Reserve(worker, {.key = key, .value_bytes = middle});
    (probe.Status() == ReserveStatus::kTooLarge ? refused : taken) = middle;
  }
  cache.Offline(worker);
  return taken;
}

// Numbers of one width, so that the largest value is the same under all of them.
std::string Name(uint64_t number) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "key-%09" PRIu64, number);
  return text.data();
}

struct Totals {
  std::atomic<uint64_t> stores{0};
  std::atomic<uint64_t> refusals{0};  // with evictions off
  std::atomic<uint64_t> too_large{0};
};

// One thread of a scenario.
class Actor {
 public:
  Actor(const Scenario& scenario, Cache& cache, uint32_t largest_bytes, uint64_t seed,
        Totals& totals)
      : scenario_(scenario),
        cache_(cache),
        largest_bytes_(largest_bytes),
        random_(seed),
        totals_(totals) {}

  void Run(const std::atomic<bool>& stop) {
    Worker& worker = cache_.AddWorker();
    const auto start = steady_clock::now();
    while (!stop.load(std::memory_order_relaxed)) {
      shift_ = static_cast<uint32_t>((steady_clock::now() - start) / milliseconds(100));
      cache_.Online(worker);
      for (uint32_t i = 0; i < kStoresPerTurn; ++i) Act(worker);
      cache_.Offline(worker);
    }
  }

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }

  void Act(Worker& worker) {
    const std::string key = Name(Below(100'000));
    const uint64_t choice = Below(10);
    if (choice < 7) {
      Store(worker, key, Below(50) == 0 ? largest_bytes_ + 1 : DrawBytes());
    } else if (choice < 9) {
      (void)cache_.Get(worker, key);
    } else {
      (void)cache_.Remove(worker, key);
    }
  }

  uint32_t DrawBytes() {
    const uint64_t largest = largest_bytes_;
    switch (scenario_.mix) {
      case Mix::kSmall:
        return static_cast<uint32_t>(Below(std::min<uint64_t>(largest, 300)));
      case Mix::kLogNormal: {
        std::lognormal_distribution<double> sizes(std::log(230), 1.3);
        return static_cast<uint32_t>(std::min(sizes(random_), static_cast<double>(largest)));
      }
      case Mix::kAnySize:
        return static_cast<uint32_t>(Below(largest + 1) >> Below(16));
      case Mix::kShifting:
        return static_cast<uint32_t>(largest >> ((shift_ * 5) % 13));
      case Mix::kTwoSizes:
        return Below(100) == 0 ? largest_bytes_ / 3 * 2 : 40;
      case Mix::kMostlyLargest:
        return Below(10) == 0 ? 10 : largest_bytes_;
    }
    return 0;
  }

  void Store(Worker& worker, const std::string& key, uint32_t value_bytes) {
    Reservation reservation = cache_.Reserve(worker, {.key = key, .value_bytes = value_bytes});
    const ReserveStatus status = reservation.Status();
    if ((status == ReserveStatus::kTooLarge) != (value_bytes > largest_bytes_)) {
      Fail(scenario_, "the largest value was one of " + std::to_string(largest_bytes_) +
                          " bytes, and now " + std::to_string(value_bytes) + " are " +
                          (value_bytes > largest_bytes_ ? "taken" : "too many"));
    }
    if (status == ReserveStatus::kTooLarge) {
      ++totals_.too_large;
      return;
    }
    if (!reservation) return Refused(value_bytes);
    // Every page of it: what is not written to is not resident.
    std::memset(reservation.Value().data(), 'v', value_bytes);
    const StoreResult result =
        cache_.Commit(worker, std::move(reservation), {.mode = StoreMode::kSet});
    if (result.status != StoreStatus::kStored) return Refused(value_bytes);
    ++totals_.stores;
  }

  // Evictions off: rightly so if what is free is less than the value, or a page for it, and a page
  // that waits for the index.
  void Refused(uint32_t value_bytes) {
    const CacheStats stats = cache_.Stats();
    const uint64_t taken_bytes = stats.used_bytes;
    if (scenario_.config.evict) {
      Fail(scenario_, "a store of " + std::to_string(value_bytes) + " bytes was refused after " +
                          std::to_string(totals_.stores) + " stores");
    }
    const uint64_t needed_bytes = std::max(value_bytes, kPageBytes) + kPageBytes;
    if (taken_bytes + needed_bytes < stats.limit_bytes) {
      Fail(scenario_, "a store of " + std::to_string(value_bytes) + " bytes was refused with " +
                          std::to_string(taken_bytes) + " bytes taken");
    }
    ++totals_.refusals;
  }

  const Scenario& scenario_;
  Cache& cache_;
  const uint32_t largest_bytes_;
  std::mt19937_64 random_;
  Totals& totals_;
  uint32_t shift_ = 0;
};

// Keeps time for the cache, and its memory in view, until the scenario's time is over.
class Keeper {
 public:
  Keeper(const Scenario& scenario, Cache& cache, Clock& clock, uint64_t allowance_bytes)
      : scenario_(scenario),
        cache_(cache),
        clock_(clock),
        allowance_bytes_(allowance_bytes),
        resident_before_(ResidentBytes()) {}

  void Run() {
    const auto end = steady_clock::now() + kScenarioTime;
    while (steady_clock::now() < end) {
      std::this_thread::sleep_for(kTick);
      const uint32_t next = clock_.NowSeconds() + 1;
      cache_.Maintain(next);
      clock_.Set(next);
      Look();
    }
  }

  // Resident memory above the limit, at most.
  [[nodiscard]] int64_t WorstBytes() const { return worst_bytes_; }

 private:
  void Look() {
    const CacheStats stats = cache_.Stats();
    const uint64_t limit_bytes = scenario_.config.limit_bytes;
    const uint64_t taken_bytes = stats.page_bytes + stats.index_bytes + stats.extent_bytes +
                                 stats.extent_idle_bytes + stats.extent_record_bytes;
    if (taken_bytes > limit_bytes) {
      Fail(scenario_, std::to_string(stats.page_bytes) + " bytes of pages and " +
                          std::to_string(stats.index_bytes) + " of index were taken, and " +
                          std::to_string(stats.extent_bytes) + " for large values");
    }
    if (allowance_bytes_ == 0) return;
    const auto grown = static_cast<int64_t>(ResidentBytes() - resident_before_);
    worst_bytes_ = std::max(worst_bytes_, grown - static_cast<int64_t>(limit_bytes));
    if (worst_bytes_ > static_cast<int64_t>(allowance_bytes_)) {
      Fail(scenario_, "resident memory is " + std::to_string(worst_bytes_) + " above the limit");
    }
  }

  const Scenario& scenario_;
  Cache& cache_;
  Clock& clock_;
  const uint64_t allowance_bytes_;
  const uint64_t resident_before_;
  int64_t worst_bytes_ = INT64_MIN;
};

// Returns the resident memory above the limit, at most.
int64_t Play(Scenario scenario, uint64_t allowance_bytes, Totals& totals) {
  Clock clock(1'700'000'000);
  const uint64_t resident_before = ResidentBytes();
  std::string error;
  const auto cache = Cache::Create(scenario.config, clock, &error);
  if (cache == nullptr) Fail(scenario, error);
  if (ResidentBytes() - resident_before > scenario.config.limit_bytes / 2) {
    if (allowance_bytes != 0) Fail(scenario, "an empty cache takes half of its limit");
  }
  const auto bytes_max = static_cast<uint32_t>(scenario.config.limit_bytes);
  const uint32_t largest = LargestValueBytes(*cache, cache->AddWorker(), Name(0), bytes_max);
  if (largest == 0) Fail(scenario, "an empty cache takes nothing");
  // What is being written cannot be evicted: all threads together may write half the limit.
  const uint64_t writers_max = std::max<uint64_t>(1, scenario.config.limit_bytes / 2 / largest);
  scenario.thread_count =
      static_cast<uint32_t>(std::min<uint64_t>(scenario.thread_count, writers_max));

  Keeper keeper(scenario, *cache, clock, allowance_bytes);
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < scenario.thread_count; ++i) {
    threads.emplace_back([&, seed = scenario.number * 64 + i] {
      Actor(scenario, *cache, largest, seed, totals).Run(stop);
    });
  }
  keeper.Run();
  stop = true;
  for (std::thread& thread : threads) thread.join();
  return keeper.WorstBytes();
}

int Run(std::chrono::seconds time, uint64_t first_number, uint64_t allowance_bytes) {
  const auto end = steady_clock::now() + time;
  Totals totals;
  int64_t worst_bytes = INT64_MIN;
  uint64_t number = first_number;
  do {
    worst_bytes = std::max(worst_bytes, Play(Draw(number++), allowance_bytes, totals));
  } while (steady_clock::now() < end);
  std::printf("scenarios %" PRIu64 " to %" PRIu64 ": %" PRIu64 " stores, %" PRIu64
              " too large, %" PRIu64 " refused with evictions off\n",
              first_number, number - 1, totals.stores.load(), totals.too_large.load(),
              totals.refusals.load());
  if (allowance_bytes == 0) return EXIT_SUCCESS;
  std::printf("resident memory at most the limit %+" PRId64 " bytes\n", worst_bytes);
  // Where no cache was ever full, nothing was shown.
  return worst_bytes > -static_cast<int64_t>(2 * kMiB) ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace larder::slab

int main(int argc, char** argv) {
  const int seconds = argc > 1 ? std::atoi(argv[1]) : 60;
  const uint64_t first_number = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  const uint64_t allowance_mib = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 0;
  return larder::slab::Run(std::chrono::seconds(seconds), first_number,
                           allowance_mib * larder::slab::kMiB);
}
