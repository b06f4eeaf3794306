// bench_cache - how long the engine takes for one operation, without sockets and protocol.
//
// Every row does its work in turns of 32 keys, as a server's worker does: on-line, 32 operations,
// off-line. `group:1` asks for each key by itself, `group:32` for all of the turn at once, so the
// difference between the two is what overlapping the misses of main memory brings. Time is wall
// time and CPU is CPU time, both for one key; items_per_second is of all threads together.
//
// `memory/latency` is a walk through 1 GiB (LARDER_BENCH_CHASE_MIB) in which every step waits for
// the one before: what one miss of main memory takes, and with two threads what the machine has to
// give to both.
//
// LARDER_BENCH_HUGE_PAGES, set to anything, takes the memory in huge pages, as -L does.
// LARDER_BENCH_ITEMS sets the size of the large cache (10,000,000 items of 25 B keys and 20 B
// values: about 1 GB, filled once).
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>

#include "slab/cache.h"
#include "tests/bench/cache_under_test.h"
#include "tests/bench/key_sequence.h"
#include "tests/bench/key_text.h"
#include "tests/bench/memory_chase.h"

namespace larder::bench {
namespace {

using benchmark::State;

constexpr size_t kTurnKeys = slab::Cache::kGroupKeysMax;
constexpr uint32_t kSmallItemCount = 1'000;  // 0.1 MB: stays in a core's own cache
constexpr uint64_t kSmallLimitBytes = 64 * slab::kMiB;
constexpr uint32_t kLargeItemCount = 10'000'000;
constexpr uint64_t kLargeBytesPerItem = 160;  // generous: nothing may be evicted
constexpr uint32_t kChaseMiB = 1'024;
constexpr double kZipfExponent = 0.99;
constexpr uint32_t kSetsPerTurn = 3;  // of 32 in a mixed turn: 9.4 %, "90/10"

// What a thread of one benchmark works with.
struct Bench {
  slab::Cache& cache;
  slab::Worker& worker;
  KeySequence::Cursor cursor;
  uint64_t failure_count = 0;
  std::array<KeyText, kTurnKeys> keys{};
  std::array<char, kValueBytes> reply{};

  // Copies the value as a server does into its reply, so that the item's memory is really read.
  void Consume(const slab::Hit& hit) {
    if (hit && hit.value.size() == reply.size()) {
      std::memcpy(reply.data(), hit.value.data(), reply.size());
      benchmark::DoNotOptimize(reply);
    } else {
      ++failure_count;
    }
  }

  void GetEach(size_t count) {
    for (size_t i = 0; i < count; ++i) Consume(cache.Get(worker, keys[0].Of(cursor.Next())));
  }

  void GetTogether(size_t count) {
    std::array<std::string_view, kTurnKeys> views;
    std::array<slab::Hit, kTurnKeys> hits;
    for (size_t i = 0; i < count; ++i) views[i] = keys[i].Of(cursor.Next());
    cache.GetGroup(worker, std::span(views).first(count), std::span(hits).first(count));
    for (size_t i = 0; i < count; ++i) Consume(hits[i]);
  }

  void SetEach(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      if (!StoreValue(cache, worker, keys[0].Of(cursor.Next()))) ++failure_count;
    }
  }
};

// Calls `turn` with the thread's Bench until Google Benchmark has seen enough.
template <typename Turn>
void Run(State& state, CacheUnderTest& under_test, const KeySequence& sequence, Turn turn) {
  slab::Cache* cache = under_test.Get();
  if (cache == nullptr) {
    state.SkipWithError(under_test.Error().c_str());
    return;
  }
  const int thread = state.thread_index();
  Bench bench{*cache, *under_test.SlotOf(thread).worker, {sequence, thread, state.threads()}};
  while (state.KeepRunningBatch(kTurnKeys)) {
    cache->Online(bench.worker);
    turn(bench);
    cache->Offline(bench.worker);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
  if (bench.failure_count > 0) state.SkipWithError("a key was missing or a store was refused");
}

void Register(std::string_view name, const std::function<void(State&)>& body) {
  for (int threads = 1; threads <= kThreadCountMax; ++threads) {
    benchmark::RegisterBenchmark(std::string(name).c_str(), body)->Threads(threads)->UseRealTime();
  }
}

void RegisterGets(std::string_view items, CacheUnderTest& under_test, const KeySequence& keys) {
  Register(fmt::format("get/items:{}/group:1", items), [&](State& state) {
    Run(state, under_test, keys, [](Bench& bench) { bench.GetEach(kTurnKeys); });
  });
  Register(fmt::format("get/items:{}/group:{}", items, kTurnKeys), [&](State& state) {
    Run(state, under_test, keys, [](Bench& bench) { bench.GetTogether(kTurnKeys); });
  });
}

// All threads ask for one key: to be compared with get/items:1000, where each has its own.
void RegisterHot(CacheUnderTest& under_test, const KeySequence& one_key) {
  Register("get/hot", [&](State& state) {
    Run(state, under_test, one_key, [](Bench& bench) { bench.GetEach(kTurnKeys); });
  });
}

void RegisterSets(std::string_view items, CacheUnderTest& under_test, const KeySequence& keys) {
  Register(fmt::format("set/items:{}", items), [&](State& state) {
    Run(state, under_test, keys, [](Bench& bench) { bench.SetEach(kTurnKeys); });
  });
}

void RegisterMixed(std::string_view items, CacheUnderTest& under_test, const KeySequence& keys) {
  Register(fmt::format("mixed_zipf/items:{}/group:1", items), [&](State& state) {
    Run(state, under_test, keys, [](Bench& bench) {
      bench.GetEach(kTurnKeys - kSetsPerTurn);
      bench.SetEach(kSetsPerTurn);
    });
  });
  Register(fmt::format("mixed_zipf/items:{}/group:{}", items, kTurnKeys), [&](State& state) {
    Run(state, under_test, keys, [](Bench& bench) {
      bench.GetTogether(kTurnKeys - kSetsPerTurn);
      bench.SetEach(kSetsPerTurn);
    });
  });
}

// A key that no thread has asked for yet.
bool StoreNewItem(slab::Cache& cache, CacheUnderTest& under_test, int thread, KeyText& key) {
  CacheUnderTest::Slot& slot = under_test.SlotOf(thread);
  const uint32_t thread_bit = static_cast<uint32_t>(thread) << 31;
  const uint32_t item = thread_bit | (under_test.ItemCount() + slot.next_new_item++);
  return StoreValue(cache, *slot.worker, key.Of(item));
}

// Stores new items until the cache is full and one had to go for another.
void FillUntilEvicting(slab::Cache& cache, CacheUnderTest& under_test, int thread) {
  constexpr uint32_t kItemsPerLook = 4'096;
  slab::Worker& worker = *under_test.SlotOf(thread).worker;
  KeyText key;
  while (cache.Stats().sum.evicted == 0) {
    cache.Online(worker);
    for (uint32_t i = 0; i < kItemsPerLook; ++i) StoreNewItem(cache, under_test, thread, key);
    cache.Offline(worker);
  }
}

// Every store is of a new key into a full cache, and evicts.
void RegisterEvicting(CacheUnderTest& under_test, const KeySequence& keys) {
  Register("set/evicting", [&](State& state) {
    const int thread = state.thread_index();
    if (slab::Cache* cache = under_test.Get()) FillUntilEvicting(*cache, under_test, thread);
    Run(state, under_test, keys, [&](Bench& bench) {
      for (size_t i = 0; i < kTurnKeys; ++i) {
        if (!StoreNewItem(bench.cache, under_test, thread, bench.keys[0])) ++bench.failure_count;
      }
    });
  });
}

// What the benchmark itself costs: the choice of a key and the making of its text.
void RegisterOverhead(const KeySequence& sequence) {
  Register("overhead/make_key", [&](State& state) {
    KeySequence::Cursor cursor(sequence, state.thread_index(), state.threads());
    KeyText key;
    for (auto _ : state) benchmark::DoNotOptimize(key.Of(cursor.Next()).data());
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
  });
}

void RegisterMemoryLatency(size_t chase_bytes) {
  Register("memory/latency", [chase_bytes](State& state) {
    static std::once_flag built;
    static std::unique_ptr<MemoryChase> chase;
    std::call_once(built, [&] { chase = std::make_unique<MemoryChase>(chase_bytes); });
    // Threads are far apart on the same round.
    auto line =
        static_cast<uint32_t>(chase->LineCount() / 2) * static_cast<uint32_t>(state.thread_index());
    for (auto _ : state) line = chase->Next(line);
    benchmark::DoNotOptimize(line);
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
  });
}

// The number that the environment gives, or `otherwise`.
uint32_t NumberFromEnvironment(const char* name, uint32_t otherwise) {
  const char* text = std::getenv(name);
  uint32_t count = 0;
  if (text == nullptr) return otherwise;
  const char* end = text + std::strlen(text);
  const auto [stopped_at, status] = std::from_chars(text, end, count);
  if (status == std::errc() && stopped_at == end && count > 0) return count;
  fmt::print(stderr, "{}: '{}' is not a number from 1 up\n", name, text);
  std::exit(1);
}

int Main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;

  const uint32_t large_count = NumberFromEnvironment("LARDER_BENCH_ITEMS", kLargeItemCount);
  const uint32_t chase_mib = NumberFromEnvironment("LARDER_BENCH_CHASE_MIB", kChaseMiB);
  CacheUnderTest small(kSmallItemCount, kSmallLimitBytes);
  CacheUnderTest large(large_count, large_count * kLargeBytesPerItem + 64 * slab::kMiB);
  CacheUnderTest full(kSmallItemCount, kSmallLimitBytes);
  const KeySequence small_uniform = KeySequence::Uniform(kSmallItemCount);
  const KeySequence one_key = KeySequence::Uniform(1);
  const KeySequence large_uniform = KeySequence::Uniform(large_count);
  const KeySequence large_zipf = KeySequence::Zipf(large_count, kZipfExponent);

  RegisterOverhead(large_uniform);
  RegisterMemoryLatency(std::bit_floor(chase_mib) * slab::kMiB);
  RegisterGets("1000", small, small_uniform);
  RegisterSets("1000", small, small_uniform);
  RegisterHot(small, one_key);
  const std::string large_name = fmt::format("{}", large_count);
  RegisterGets(large_name, large, large_uniform);
  RegisterMixed(large_name, large, large_zipf);
  RegisterSets(large_name, large, large_uniform);
  RegisterEvicting(full, small_uniform);

  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace
}  // namespace larder::bench

int main(int argc, char** argv) { return larder::bench::Main(argc, argv); }
