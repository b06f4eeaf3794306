// tests/slab/stress/scarcity_stress.cc - several threads want one page, again and again: no store
// is refused, because there is always something to evict.
//
// Each round all threads store into one slab class, then all into another, and there are more
// classes than pages, so that every round a page has to change hands while they compete for it. The
// chunks of a page are more than the threads: whoever is refused was refused although somebody
// else's items could have gone.
//
// Usage: scarcity_stress [rounds] [threads]
#include <array>
#include <atomic>
#include <barrier>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "slab/cache.h"

namespace larder::slab {
namespace {

// Each of another class; seven pages are left beside the index.
constexpr std::array<uint32_t, 12> kValueBytes = {30,    400,   3'000, 80,  700,   5'000,
                                                  1'100, 9'000, 150,   250, 1'800, 20'000};
constexpr uint32_t kStoresPerRound = 20;

class Contest {
 public:
  Contest(uint32_t rounds, int thread_count)
      : rounds_(rounds), thread_count_(thread_count), start_(thread_count) {
    std::string error;
    cache_ = Cache::Create({.limit_bytes = 2 * kMiB}, clock_, &error);
    if (cache_ == nullptr) std::abort();
  }

  int Run() {
    std::vector<std::thread> threads;
    for (int i = 0; i < thread_count_; ++i) threads.emplace_back([this, i] { Compete(i); });
    for (std::thread& thread : threads) thread.join();
    const CacheStats stats = cache_->Stats();
    std::printf("%u rounds, %" PRIu64 " pages moved, %" PRIu64 " stores refused\n", rounds_,
                stats.pages_moved, refused_.load());
    if (stats.pages_moved < rounds_ / 2) return 1;  // no page changed hands: no contest
    return refused_ == 0 ? 0 : 1;
  }

 private:
  void Compete(int number) {
    Worker& worker = cache_->AddWorker();
    std::string key("key-");
    key += std::to_string(number);
    for (uint32_t round = 0; round < rounds_; ++round) {
      start_.arrive_and_wait();
      for (uint32_t i = 0; i < kStoresPerRound; ++i) {
        cache_->Online(worker);
        Reservation reservation = cache_->Reserve(
            worker, {.key = key, .value_bytes = kValueBytes[round % kValueBytes.size()]});
        if (reservation) {
          cache_->Commit(worker, std::move(reservation), {.mode = StoreMode::kSet});
        } else {
          ++refused_;
        }
        cache_->Offline(worker);
      }
    }
  }

  const uint32_t rounds_;
  const int thread_count_;
  Clock clock_{1'700'000'000};
  std::unique_ptr<Cache> cache_;
  std::barrier<> start_;
  std::atomic<uint64_t> refused_{0};
};

}  // namespace
}  // namespace larder::slab

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 500;
  const int threads = argc > 2 ? std::atoi(argv[2]) : 4;
  return larder::slab::Contest(static_cast<uint32_t>(rounds), threads).Run();
}
