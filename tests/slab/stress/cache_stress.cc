// tests/slab/stress/cache_stress.cc - eight threads do everything at once to a small hot set, with
// eviction, index growth, expiry and flushes at full rate, for a given time.
//
// What must hold, whatever the interleaving:
//   - a value read is one that was written whole under that key (each carries its key, a number
//     and a checksum over all its bytes)
//   - no two increments of a counter answer the same number, so none is lost (each life of a
//     counter, from its creation to its eviction, has a range of numbers of its own)
//   - no store is refused
//   - the memory charged stays within the limit
// Run under AddressSanitizer the arena's free chunks are poisoned; under ThreadSanitizer every
// access is checked. In both builds the named race windows are stretched at random.
//
// Usage: cache_stress [seconds] [threads] [limit MiB]
#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "slab/cache.h"
#include "slab/race_window.h"

namespace larder::slab {
namespace {

constexpr uint32_t kHotKeys = 64;        // fought over by all threads
constexpr uint32_t kColdKeys = 200'000;  // more than fit: eviction and index growth
constexpr uint32_t kCounters = 4;
constexpr uint32_t kOperationsPerTurn = 64;
constexpr uint32_t kTicksPerPhase = 50;
constexpr uint32_t kValueBytesSmall = 200;
constexpr uint32_t kValueBytesLarge = 300'000;

uint64_t Checksum(const char* bytes, size_t count) {
  uint64_t sum = 1469598103934665603ULL;
  // Every byte of small values, some of every stretch of large ones: torn copies show either way.
  const size_t step = count > 4096 ? 61 : 1;
  for (size_t i = 0; i < count; i += step) {
    sum = (sum ^ static_cast<unsigned char>(bytes[i])) * 1099511628211ULL;
  }
  return sum;
}

// key number, then filler drawn from the seed, then the checksum of both.
void WriteValue(std::span<char> value, uint64_t key_number, uint64_t seed) {
  std::memcpy(value.data(), &key_number, 8);
  const size_t filler_end = value.size() - 8;
  for (size_t i = 8; i < filler_end; ++i) {
    value[i] = static_cast<char>(seed >> (i % 8 * 8));
  }
  const uint64_t sum = Checksum(value.data(), filler_end);
  std::memcpy(value.data() + filler_end, &sum, 8);
}

bool IsWhole(std::string_view value, uint64_t key_number) {
  if (value.size() < 16) return false;
  uint64_t found_key = 0;
  uint64_t found_sum = 0;
  std::memcpy(&found_key, value.data(), 8);
  std::memcpy(&found_sum, value.data() + value.size() - 8, 8);
  return found_key == key_number && found_sum == Checksum(value.data(), value.size() - 8);
}

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "cache_stress: %s\n", what);
  std::abort();
}

struct Totals {
  std::atomic<uint64_t> operations{0};
  std::atomic<uint64_t> hits{0};
  std::atomic<uint64_t> counter_lives{0};
  std::mutex numbers_mutex;
  std::vector<uint64_t> numbers;  // every answer of every increment
};

class Actor {
 public:
  Actor(Cache& cache, Clock& clock, Totals& totals, uint64_t seed)
      : cache_(cache), clock_(clock), totals_(totals), worker_(cache.AddWorker()), random_(seed) {}

  void Run(const std::atomic<bool>& stop) {
    uint64_t operations = 0;
    while (!stop.load(std::memory_order_relaxed)) {
      cache_.Online(worker_);
      for (uint32_t i = 0; i < kOperationsPerTurn; ++i) Act();
      operations += kOperationsPerTurn;
      cache_.Offline(worker_);
    }
    totals_.operations += operations;
    totals_.hits += hits_;
    const std::lock_guard lock(totals_.numbers_mutex);
    totals_.numbers.insert(totals_.numbers.end(), numbers_.begin(), numbers_.end());
  }

 private:
  uint64_t Draw(uint64_t bound) { return random_() % bound; }

  static std::string Name(uint64_t number) { return "key-" + std::to_string(number); }

  uint64_t DrawKey() { return Draw(2) == 0 ? Draw(kHotKeys) : kHotKeys + Draw(kColdKeys); }

  void Act() {
    const uint64_t key = DrawKey();
    const uint64_t choice = Draw(1000);
    if (choice < 450) {
      Read(key);
    } else if (choice < 800) {
      Write(key, StoreMode::kSet, DrawSize());
    } else if (choice < 850) {
      Write(key, Draw(2) == 0 ? StoreMode::kAdd : StoreMode::kReplace, kValueBytesSmall);
    } else if (choice < 900) {
      cache_.Remove(worker_, Name(key));
    } else if (choice < 940) {
      Increment(Draw(kCounters));
    } else if (choice < 960) {
      cache_.Touch(worker_, Name(key), clock_.NowSeconds() + 1 + static_cast<uint32_t>(Draw(3)));
    } else if (choice < 980) {
      ReadGroup();
    } else if (choice < 985) {
      ActOnMarks(key);
    } else if (choice < 998) {
      PinLarge(key);
    } else {
      cache_.Quiesce(worker_);
      if (Draw(500) == 0) cache_.FlushNow(worker_);
    }
  }

  // What is stored shifts every second or so: small values, now and then values of every size
  // (more slab classes than a small cache has pages), small ones with a few large.
  uint32_t DrawSize() {
    const uint32_t phase = clock_.NowSeconds() / kTicksPerPhase % 6;
    if (phase == 1) {
      const uint64_t magnitude = uint64_t{16} << Draw(15);  // up to 512 KiB
      return static_cast<uint32_t>(magnitude + Draw(magnitude));
    }
    if (phase > 2 && Draw(400) == 0) return kValueBytesLarge;
    return 16 + static_cast<uint32_t>(Draw(kValueBytesSmall));
  }

  void Check(const Hit& hit, uint64_t key) {
    if (!hit) return;
    ++hits_;
    if (hit.key != Name(key)) Fail("a hit under another key");
    if (hit.value.empty()) return;  // made by a meta look-up, or hollowed
    if (!IsWhole(hit.value, key)) Fail("a value that was never written whole");
  }

  void Read(uint64_t key) { Check(cache_.Get(worker_, Name(key)), key); }

  // Stale items and tokens: whoever wins writes the item anew, as a client would.
  void ActOnMarks(uint64_t key) {
    const std::string name = Name(key);
    const uint64_t choice = Draw(8);
    if (choice == 0) {
      if (cache_.Hollow(worker_, name, {.becomes_stale = Draw(2) == 0}) ==
          RemoveStatus::kNoMemory) {
        Fail("an empty item was refused");
      }
    } else if (choice < 3) {
      (void)cache_.Invalidate(worker_, name, {});
    } else {
      const MetaHit hit =
          cache_.MetaGet(worker_, name, {.vivify_expires_s = clock_.NowSeconds() + 5});
      if (!hit) Fail("an empty item was refused");
      Check(hit.hit, key);
      if (hit.won) Write(key, StoreMode::kSet, DrawSize());
    }
  }

  void ReadGroup() {
    std::array<uint64_t, Cache::kGroupKeysMax> numbers;
    std::array<std::string, Cache::kGroupKeysMax> names;
    std::array<std::string_view, Cache::kGroupKeysMax> keys;
    std::array<Hit, Cache::kGroupKeysMax> hits;
    for (size_t i = 0; i < keys.size(); ++i) {
      numbers[i] = DrawKey();
      names[i] = Name(numbers[i]);
      keys[i] = names[i];
    }
    cache_.GetGroup(worker_, keys, hits);
    for (size_t i = 0; i < keys.size(); ++i) Check(hits[i], numbers[i]);
  }

  void PinLarge(uint64_t key) {
    const Hit hit = cache_.Get(worker_, Name(key));
    if (!hit || hit.value.size() < kPinnableBytesMin) return;
    Pin pin = cache_.PinValue(hit);
    const std::string_view value = hit.value;
    cache_.Quiesce(worker_);  // the hit is gone, the pinned bytes must stay
    if (!IsWhole(value, key)) Fail("a pinned value changed");
    pin.Release();
  }

  void Write(uint64_t key, StoreMode mode, uint32_t value_bytes) {
    const uint32_t expires_s =
        Draw(8) == 0 ? clock_.NowSeconds() + static_cast<uint32_t>(Draw(3)) : 0;
    const std::string name = Name(key);
    Reservation reservation =
        cache_.Reserve(worker_, {.key = name, .expires_s = expires_s, .value_bytes = value_bytes});
    if (!reservation) Fail("a store was refused");
    WriteValue(reservation.Value(), key, random_());
    if (Draw(50) == 0) return;  // a client that went away
    if (Draw(50) == 0) cache_.Quiesce(worker_);
    cache_.Commit(worker_, std::move(reservation), {.mode = mode});
  }

  void Increment(uint64_t number) {
    std::string name("counter-");
    name += std::to_string(number);
    const ArithmeticResult result =
        cache_.Arithmetic(worker_, name, {.increment = true, .delta = 1});
    if (result.status == ArithmeticStatus::kDone) numbers_.push_back(result.number);
    if (result.status == ArithmeticStatus::kNotFound) CreateCounter(name);
    if (result.status == ArithmeticStatus::kNonNumeric) Fail("a counter is no number");
    if (result.status == ArithmeticStatus::kNoMemory) Fail("an increment was refused");
  }

  void CreateCounter(const std::string& name) {
    const std::string start = std::to_string(++totals_.counter_lives << 32);
    Reservation reservation =
        cache_.Reserve(worker_, {.key = name, .value_bytes = static_cast<uint32_t>(start.size())});
    if (!reservation) Fail("a store was refused");
    std::memcpy(reservation.Value().data(), start.data(), start.size());
    cache_.Commit(worker_, std::move(reservation), {.mode = StoreMode::kAdd});
  }

  Cache& cache_;
  Clock& clock_;
  Totals& totals_;
  Worker& worker_;
  std::mt19937_64 random_;
  uint64_t hits_ = 0;
  std::vector<uint64_t> numbers_;
};

#ifdef LARDER_RACE_WINDOWS
// One in 64 times a thread gives up the processor in a window, one in 4096 for longer.
void Stretch(Window window) {
  thread_local std::mt19937 random(
      static_cast<uint32_t>(std::hash<std::thread::id>{}(std::this_thread::get_id())));
  const uint32_t draw = (static_cast<uint32_t>(random()) + static_cast<uint32_t>(window)) % 4096;
  if (draw == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
  if (draw % 64 == 0) sched_yield();
}
#endif

void KeepTime(Cache& cache, Clock& clock, uint64_t limit_bytes, const std::atomic<bool>& stop) {
  // A second of the cache passes every 20 ms, so that expiry is a matter of this run.
  while (!stop.load()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const uint32_t next = clock.NowSeconds() + 1;
    // For ten seconds in a hundred there is a quarter less.
    if (next % 100 == 0 && !cache.SetLimit(limit_bytes / 4 * 3)) Fail("a limit was refused");
    if (next % 100 == 10 && !cache.SetLimit(limit_bytes)) Fail("a limit was refused");
    cache.Maintain(next);
    clock.Set(next);
  }
  if (!cache.SetLimit(limit_bytes)) Fail("a limit was refused");
}

// Walks all the time, checks what it meets, and removes the dead at every other walk.
void WalkAround(Cache& cache, const std::atomic<bool>& stop) {
  constexpr std::string_view kPrefix = "key-";
  Worker& worker = cache.AddWorker();
  const auto check = [&](const Hit& hit) {
    if (!hit.key.starts_with(kPrefix) || hit.value.empty()) return;
    const std::string number(hit.key.substr(kPrefix.size()));
    if (!IsWhole(hit.value, std::stoull(number))) Fail("a walk met a value not written whole");
  };
  for (uint64_t round = 0; !stop.load(); ++round) {
    WalkCursor cursor;
    bool is_over = false;
    while (!is_over && !stop.load()) {
      cache.Online(worker);
      is_over = round % 2 == 0 ? !cache.Walk(worker, cursor, 64, check)
                               : !cache.Crawl(worker, cursor, 64, ~uint64_t{0});
      cache.Offline(worker);
    }
  }
}

int Run(int seconds, int thread_count, uint64_t limit_mib) {
#ifdef LARDER_RACE_WINDOWS
  SetRaceHook(&Stretch);
#endif
  Clock clock(1'700'000'000);
  std::string error;
  const auto cache = Cache::Create({.limit_bytes = limit_mib * kMiB}, clock, &error);
  if (cache == nullptr) Fail(error.c_str());
  Totals totals;
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  std::thread keeper([&] { KeepTime(*cache, clock, limit_mib * kMiB, stop); });
  std::thread walker([&] { WalkAround(*cache, stop); });
  for (int i = 0; i < thread_count; ++i) {
    threads.emplace_back(
        [&, i] { Actor(*cache, clock, totals, static_cast<uint64_t>(i) + 1).Run(stop); });
  }
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  keeper.join();
  walker.join();
  std::sort(totals.numbers.begin(), totals.numbers.end());
  if (std::adjacent_find(totals.numbers.begin(), totals.numbers.end()) != totals.numbers.end()) {
    Fail("an increment was lost");
  }
  if (totals.numbers.empty()) Fail("nothing was incremented");
  const CacheStats stats = cache->Stats();
  if (stats.page_bytes + stats.index_bytes > stats.limit_bytes) Fail("the limit was passed");
  std::printf("%" PRIu64 " operations, %" PRIu64 " hits, %" PRIu64 " increments, %" PRIu64
              " evictions, %" PRIu64
              " expired or flushed reads, "
              "%" PRIu64 " pages moved, %" PRIu64 " waits for readers, index 2^%u, %" PRIu64
              " items\n",
              totals.operations.load(), totals.hits.load(), totals.numbers.size(),
              stats.sum.evicted, stats.get_expired + stats.get_flushed, stats.pages_moved,
              stats.grace_wait_count, stats.index_power, stats.sum.item_count);
  return 0;
}

}  // namespace
}  // namespace larder::slab

int main(int argc, char** argv) {
  const int seconds = argc > 1 ? std::atoi(argv[1]) : 60;
  const int threads = argc > 2 ? std::atoi(argv[2]) : 8;
  const int limit_mib = argc > 3 ? std::atoi(argv[3]) : 24;
  return larder::slab::Run(seconds, threads, static_cast<uint64_t>(limit_mib));
}
