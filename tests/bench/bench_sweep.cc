// bench_sweep - what it costs to free expired items that nobody asks for.
//
//   spread   items whose expiries are spread evenly over an hour: the sweeper's ordinary day. CPU
//            time in per cent of a core while a minute passes in ticks of a tenth of a second, and
//            how late the last item of each second is freed
//   at once  all of them expire in the same second: CPU time until all are gone, and how long that
//            is after their time, on threads that pause as the server's do
//
// CPU time is that of Cache::Upkeep and Cache::Sweep with all they do.
//
// LARDER_BENCH_ITEMS sets the number of items (10,000,000 of 25 B keys and 100 B values: 1.7 GB),
// LARDER_BENCH_SWEEPERS that of sweepers (1), of which `at once` gives each a thread.
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "slab/cache.h"

namespace larder::bench {
namespace {

constexpr uint64_t kItemCount = 10'000'000;
constexpr uint64_t kBytesPerItem = 180;  // generous: nothing may be evicted
constexpr uint32_t kValueBytes = 100;
constexpr uint32_t kTicksPerSecond = 10;
// The server's between two steps, while there is more and otherwise.
constexpr std::chrono::milliseconds kPause{1};
constexpr std::chrono::milliseconds kIdlePause{100};
constexpr uint32_t kHourS = 3'600;

double ThreadSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

class Bench {
 public:
  Bench(uint64_t item_count, uint32_t sweeper_count)
      : item_count_(item_count), sweeper_count_(sweeper_count) {
    const slab::CacheConfig config{.limit_bytes = item_count * kBytesPerItem + 64 * slab::kMiB,
                                   .sweeper_count = sweeper_count};
    std::string error;
    cache_ = slab::Cache::Create(config, clock_, &error);
    if (cache_ == nullptr) {
      fmt::print(stderr, "{}\n", error);
      std::exit(1);
    }
  }

  void Fill(const std::function<uint32_t(uint64_t)>& expires_s_of) {
    constexpr uint64_t kTurnItems = 32;
    slab::Worker& worker = cache_->AddWorker();
    for (uint64_t i = 0; i < item_count_; ++i) {
      if (i % kTurnItems == 0) cache_->Online(worker);
      Store(worker, fmt::format("key:{:021}", i), expires_s_of(i));
      if (i % kTurnItems == kTurnItems - 1 || i == item_count_ - 1) cache_->Offline(worker);
    }
  }

  void RunSpread() {
    Fill([this](uint64_t i) {
      return clock_.NowSeconds() + 1 + static_cast<uint32_t>(i * 2'654'435'761U % kHourS);
    });
    constexpr uint32_t kWarmUpS = 20;
    constexpr uint32_t kSeconds = 60;
    Pass(kWarmUpS);
    const uint64_t freed_before = Figures().sweeper_freed;
    const uint64_t visited_before = Figures().sweeper_visited;
    const uint64_t us_before = Figures().sweeper_us;
    const double begin = ThreadSeconds();
    Pass(kSeconds);
    const double cpu_s = ThreadSeconds() - begin;
    const slab::CacheStats after = Figures();
    const uint64_t overdue = (kWarmUpS + kSeconds) * item_count_ / kHourS - after.sweeper_freed;
    fmt::print(
        "spread: {} items, {:.2f} % of a core, {} freed, {} stretches visited a second, "
        "{:.1f} seconds behind; the sweeper itself {:.2f} %\n",
        item_count_, 100 * cpu_s / kSeconds, (after.sweeper_freed - freed_before) / kSeconds,
        (after.sweeper_visited - visited_before) / kSeconds,
        static_cast<double>(overdue) * kHourS / static_cast<double>(item_count_),
        static_cast<double>(after.sweeper_us - us_before) / 1e4 / kSeconds);
  }

  void RunAtOnce() {
    const uint32_t expires_s = clock_.NowSeconds() + 1;
    Fill([expires_s](uint64_t) { return expires_s; });
    const auto begin = std::chrono::steady_clock::now();
    std::atomic<double> cpu_s = 0;
    std::vector<std::thread> sweepers;
    for (uint32_t number = 0; number < sweeper_count_; ++number) {
      sweepers.emplace_back([&, number] {
        while (!IsEmpty()) std::this_thread::sleep_for(cache_->Sweep(number) ? kPause : kIdlePause);
        cpu_s += ThreadSeconds();
      });
    }
    std::chrono::duration<double> passed{};
    while (!IsEmpty()) {
      passed = std::chrono::steady_clock::now() - begin;
      clock_.Set(expires_s + static_cast<uint32_t>(passed.count()));
      std::this_thread::sleep_for(kPause);
    }
    for (std::thread& sweeper : sweepers) sweeper.join();
    fmt::print(
        "at once: {} items gone {:.1f} s after their time, {:.2f} s of CPU ({:.0f} ns an item)\n",
        item_count_, passed.count(), cpu_s.load(), 1e9 * cpu_s / static_cast<double>(item_count_));
  }

 private:
  [[nodiscard]] bool IsEmpty() const { return Figures().sweeper_freed == item_count_; }
  [[nodiscard]] slab::CacheStats Figures() const { return cache_->Stats(); }

  void Store(slab::Worker& worker, const std::string& key, uint32_t expires_s) {
    slab::Reservation reservation =
        cache_->Reserve(worker, {.key = key, .expires_s = expires_s, .value_bytes = kValueBytes});
    if (reservation) {
      reservation.Value()[0] = 'v';
      cache_->Commit(worker, std::move(reservation), {});
    }
  }
  void Pass(uint32_t seconds) {
    for (uint32_t second = 0; second < seconds; ++second) {
      clock_.Set(clock_.NowSeconds() + 1);
      for (uint32_t tick = 0; tick < kTicksPerSecond; ++tick) {
        cache_->Upkeep();
        for (uint32_t number = 0; number < sweeper_count_; ++number) {
          while (cache_->Sweep(number)) {
          }
        }
      }
    }
  }

  const uint64_t item_count_;
  const uint32_t sweeper_count_;
  slab::Clock clock_{1'700'000'000};
  std::unique_ptr<slab::Cache> cache_;
};

uint64_t NumberFrom(const char* variable, uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return otherwise;
  const uint64_t number = std::strtoull(text, nullptr, 10);
  if (number == 0) {
    fmt::print(stderr, "{}: '{}' is not a number above 0\n", variable, text);
    std::exit(1);
  }
  return number;
}

int Main() {
  const uint64_t item_count = NumberFrom("LARDER_BENCH_ITEMS", kItemCount);
  const auto sweeper_count = static_cast<uint32_t>(NumberFrom("LARDER_BENCH_SWEEPERS", 1));
  Bench(item_count, sweeper_count).RunSpread();
  Bench(item_count, sweeper_count).RunAtOnce();
  return 0;
}

}  // namespace
}  // namespace larder::bench

int main() { return larder::bench::Main(); }
