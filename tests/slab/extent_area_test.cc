// Memory for large values: what is charged is what is resident, nothing overlaps, nothing is lost.
#include "slab/extent_area.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace larder::slab {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kFrame = 4 * kKiB;

// Of the bytes at `begin`, those that are in memory.
uint64_t ResidentBytes(const char* begin, uint64_t bytes) {
  std::vector<unsigned char> frames((bytes + kFrame - 1) / kFrame);
  REQUIRE(mincore(const_cast<char*>(begin), bytes, frames.data()) == 0);
  uint64_t resident = 0;
  for (const unsigned char frame : frames) resident += (frame & 1U) * kFrame;
  return resident;
}

// Of the whole mapping that `place` lies in.
uint64_t ResidentBytesAround(const char* place) {
  std::ifstream smaps("/proc/self/smaps");
  bool is_inside = false;
  for (std::string line; std::getline(smaps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
      is_inside = reinterpret_cast<uintptr_t>(place) - begin < end - begin;
    }
    unsigned long resident_kib = 0;
    if (is_inside && std::sscanf(line.c_str(), "Rss: %lu", &resident_kib) == 1) {
      return resident_kib * kKiB;
    }
  }
  FAIL("the mapping is not listed");
  return 0;
}

class Extents {
 public:
  explicit Extents(uint64_t limit_bytes = 256 * kMiB)
      : budget(limit_bytes), area(limit_bytes, budget) {
    REQUIRE(sysconf(_SC_PAGESIZE) == kFrame);
    REQUIRE(area.BytesMax() > 0);
  }
  ~Extents() { CHECK(budget.UsedBytes() == Sum()); }

  // Filled to the last byte.
  ExtentId TakeFilled(uint64_t bytes) {
    const ExtentId extent = area.Take(bytes);
    REQUIRE(extent != kNoExtent);
    std::memset(area.At(extent), 'x', bytes);
    return extent;
  }
  void ReleaseAll() {
    while (area.ReleaseIdle(UINT64_MAX) > 0) {
    }
  }
  [[nodiscard]] uint64_t Sum() const {
    return area.UsedBytes() + area.IdleBytes() + area.RecordBytes();
  }
  // Beside the slots' records.
  [[nodiscard]] uint64_t Charged() const { return budget.UsedBytes() - area.RecordBytes(); }
  [[nodiscard]] uint64_t Resident(ExtentId extent, uint64_t bytes) const {
    return ResidentBytes(area.At(extent), bytes);
  }

  MemoryBudget budget;
  ExtentArea area;
};

// --- charge --------------------------------------------------------------------------------------

TEST_CASE("an extent is charged by whole frames, and its charge comes back when it is released") {
  Extents extents;
  const uint64_t bytes = GENERATE(as<uint64_t>{}, 1, 4095, 4096, 4097, 65'537, 131'072, 1'000'000,
                                  64 * kMiB - 1, 64 * kMiB);
  const uint64_t rounded = (bytes + kFrame - 1) / kFrame * kFrame;
  CHECK(extents.area.ChargeFor(bytes) == rounded);
  const ExtentId extent = extents.TakeFilled(bytes);
  CHECK(extents.area.BytesOf(extent) == rounded);
  CHECK(extents.area.UsedBytes() == rounded);
  CHECK(extents.Charged() == rounded);
  CHECK(extents.Resident(extent, rounded) == rounded);
  extents.area.GiveBack(extent);
  CHECK(extents.area.UsedBytes() == 0);
  CHECK(extents.area.IdleBytes() == rounded);
  CHECK(extents.Charged() == rounded);
  extents.ReleaseAll();
  CHECK(extents.area.IdleBytes() == 0);
  CHECK(extents.Charged() == 0);
  CHECK(extents.Resident(extent, rounded) == 0);
}

TEST_CASE("both sides of every slot size are taken, whole and apart from each other") {
  Extents extents(2100 * kMiB);
  CHECK(extents.area.BytesMax() == 1024 * kMiB);
  std::vector<std::pair<ExtentId, uint64_t>> taken;
  for (uint64_t slot = 128 * kKiB; slot <= 256 * kMiB; slot *= 2) {
    for (const uint64_t bytes : {slot - 1, slot, slot + 1}) {
      const ExtentId extent = extents.area.Take(bytes);
      REQUIRE(extent != kNoExtent);
      // Both ends: in between, the numbers say enough.
      std::memcpy(extents.area.At(extent), &bytes, sizeof(bytes));
      std::memcpy(extents.area.At(extent) + bytes - sizeof(bytes), &bytes, sizeof(bytes));
      taken.emplace_back(extent, bytes);
    }
  }
  for (const auto& [extent, bytes] : taken) {
    CHECK(std::memcmp(extents.area.At(extent), &bytes, sizeof(bytes)) == 0);
    CHECK(std::memcmp(extents.area.At(extent) + bytes - sizeof(bytes), &bytes, sizeof(bytes)) == 0);
  }
  for (const auto& [extent, bytes] : taken) extents.area.GiveBack(extent);
}

TEST_CASE("nothing of no bytes and nothing beyond the largest slot is taken") {
  Extents extents(8192 * kMiB);
  CHECK(extents.area.Take(0) == kNoExtent);
  CHECK(extents.area.Take(1024 * kMiB + 1) == kNoExtent);
  CHECK(extents.area.Take(UINT64_MAX) == kNoExtent);
  CHECK(extents.budget.UsedBytes() == 0);
  const ExtentId largest = extents.area.Take(1024 * kMiB);
  REQUIRE(largest != kNoExtent);
  extents.area.At(largest)[1024 * kMiB - 1] = 'x';
  extents.area.GiveBack(largest);
}

TEST_CASE("what the budget refuses leaves nothing charged") {
  Extents extents(4 * kMiB);
  const ExtentId first = extents.TakeFilled(3 * kMiB);
  const uint64_t before = extents.budget.UsedBytes();
  CHECK(extents.area.Take(1 * kMiB + 1) == kNoExtent);
  CHECK(extents.budget.UsedBytes() == before);
  extents.area.GiveBack(first);
  // An idle extent of which more is wanted than the budget has stays idle.
  CHECK(extents.area.Take(4 * kMiB + 1) == kNoExtent);
  REQUIRE(extents.budget.TryCharge(extents.budget.LimitBytes() - extents.budget.UsedBytes()));
  CHECK(extents.area.Take(3 * kMiB + 1) == kNoExtent);
  CHECK(extents.area.IdleBytes() == 3 * kMiB);
  CHECK(extents.area.Take(3 * kMiB) == first);
  extents.budget.Return(1 * kMiB - extents.area.RecordBytes());
}

TEST_CASE("a purse that was charged ahead pays first, and for no more than is not there already") {
  Extents extents(4 * kMiB);
  extents.area.GiveBack(extents.TakeFilled(300 * kKiB));  // the bin's record is charged now
  extents.ReleaseAll();
  uint64_t purse = 3 * kMiB;
  REQUIRE(extents.budget.TryCharge(purse));
  const ExtentId first = extents.area.Take(400 * kKiB, &purse);
  REQUIRE(first != kNoExtent);
  CHECK(purse == 3 * kMiB - 400 * kKiB);
  CHECK(extents.Charged() == 3 * kMiB);
  // Warm memory costs nothing a second time.
  extents.area.GiveBack(first);
  CHECK(extents.area.Take(500 * kKiB, &purse) == first);
  CHECK(purse == 3 * kMiB - 500 * kKiB);
  CHECK(extents.Charged() == 3 * kMiB);
  // What the purse lacks comes from the budget, or else nothing is taken.
  uint64_t small_purse = 100 * kKiB;
  purse -= small_purse;
  CHECK(extents.area.Take(1500 * kKiB, &small_purse) == kNoExtent);
  CHECK(small_purse == 100 * kKiB);
  CHECK(extents.area.Take(508 * kKiB, &small_purse) != kNoExtent);
  CHECK(small_purse == 0);
  CHECK(extents.Charged() == 3 * kMiB + 408 * kKiB);
  extents.budget.Return(purse);
}

// --- idle memory ---------------------------------------------------------------------------------

TEST_CASE("an extent given back is taken again with its memory") {
  Extents extents;
  const ExtentId first = extents.TakeFilled(1'000'000);
  extents.area.GiveBack(first);
  const ExtentId second = extents.area.Take(1'000'000);
  CHECK(second == first);
  CHECK(extents.Resident(second, 1'000'000) == extents.area.BytesOf(second));
  CHECK(extents.area.IdleBytes() == 0);
}

TEST_CASE("of an idle extent only the difference is charged or released") {
  Extents extents;
  extents.area.GiveBack(extents.TakeFilled(700 * kKiB));
  const ExtentId longer = extents.area.Take(900 * kKiB);
  CHECK(extents.Charged() == 900 * kKiB);
  CHECK(extents.Resident(longer, 900 * kKiB) == 700 * kKiB);
  std::memset(extents.area.At(longer), 'y', 900 * kKiB);
  extents.area.GiveBack(longer);
  const ExtentId shorter = extents.area.Take(600 * kKiB);
  CHECK(shorter == longer);
  CHECK(extents.Charged() == 600 * kKiB);
  CHECK(extents.Resident(shorter, 900 * kKiB) == 600 * kKiB);
  CHECK(extents.area.IdleBytes() == 0);
  CHECK(extents.area.UsedBytes() == 600 * kKiB);
}

TEST_CASE("of several idle extents the one that fits best is taken") {
  Extents extents;
  std::vector<ExtentId> taken;
  for (const uint64_t kib : {600U, 1000U, 700U}) taken.push_back(extents.TakeFilled(kib * kKiB));
  for (const ExtentId extent : taken) extents.area.GiveBack(extent);
  CHECK(extents.area.Take(990 * kKiB) == taken[1]);
  CHECK(extents.area.Take(610 * kKiB) == taken[0]);
  CHECK(extents.area.Take(1024 * kKiB) == taken[2]);
}

TEST_CASE("an idle extent with much more memory than wanted is not cut in line") {
  Extents extents;
  extents.area.GiveBack(extents.TakeFilled(16 * kMiB));
  const ExtentId fresh = extents.area.Take(9 * kMiB);
  CHECK(extents.area.IdleBytes() == 16 * kMiB);
  CHECK(extents.area.UsedBytes() == 9 * kMiB);
  CHECK(extents.Resident(fresh, 9 * kMiB) == 0);
}

TEST_CASE("a step releases a bounded part, from the end of what has been idle longest") {
  Extents extents;
  const ExtentId oldest = extents.TakeFilled(5 * kMiB);
  const ExtentId newest = extents.TakeFilled(5 * kMiB);
  extents.area.GiveBack(oldest);
  extents.area.GiveBack(newest);
  CHECK(extents.area.ReleaseIdle(UINT64_MAX) == ExtentArea::kReleaseBytesMax);
  CHECK(extents.Charged() == 10 * kMiB - ExtentArea::kReleaseBytesMax);
  CHECK(extents.Resident(oldest, 5 * kMiB) == 5 * kMiB - ExtentArea::kReleaseBytesMax);
  CHECK(extents.Resident(oldest, 3 * kMiB) == 3 * kMiB);
  CHECK(extents.Resident(newest, 5 * kMiB) == 5 * kMiB);
  CHECK(extents.area.ReleaseIdle(1) == kFrame);
  CHECK(extents.area.ReleaseIdle(0) == 0);
  // A step goes on from one extent to the next.
  CHECK(extents.area.ReleaseIdle(2 * kMiB) == 2 * kMiB);
  CHECK(extents.area.ReleaseIdle(2 * kMiB) == 2 * kMiB);
  CHECK(extents.Resident(oldest, 5 * kMiB) == 0);
  CHECK(extents.Resident(newest, 5 * kMiB) == 4 * kMiB - kFrame);
}

TEST_CASE("the oldest idle memory is found across the sizes") {
  Extents extents;
  const ExtentId large = extents.TakeFilled(1 * kMiB);
  const ExtentId small = extents.TakeFilled(100 * kKiB);
  const ExtentId middle = extents.TakeFilled(400 * kKiB);
  for (const ExtentId extent : {middle, small, large}) extents.area.GiveBack(extent);
  CHECK(extents.area.ReleaseIdle(400 * kKiB) == 400 * kKiB);
  CHECK(extents.Resident(middle, 400 * kKiB) == 0);
  CHECK(extents.area.ReleaseIdle(100 * kKiB) == 100 * kKiB);
  CHECK(extents.Resident(small, 100 * kKiB) == 0);
  CHECK(extents.Resident(large, 1 * kMiB) == 1 * kMiB);
}

TEST_CASE("trimming leaves what a churn can use") {
  Extents extents(256 * kMiB);
  REQUIRE(extents.area.IdleBytesMax() == 4 * kMiB);
  std::vector<ExtentId> taken;
  for (int i = 0; i < 20; ++i) taken.push_back(extents.TakeFilled(1 * kMiB));
  for (const ExtentId extent : taken) extents.area.GiveBack(extent);
  uint64_t steps = 0;
  while (extents.area.Trim() > 0) ++steps;
  CHECK(steps == 8);
  CHECK(extents.area.IdleBytes() == 4 * kMiB);
  CHECK(extents.Charged() == 4 * kMiB);
  // What came back last is what stays.
  CHECK(extents.Resident(taken.back(), 1 * kMiB) == 1 * kMiB);
}

TEST_CASE("trimming brings what is charged below a lowered limit, and stops there") {
  Extents extents(256 * kMiB);
  const ExtentId live = extents.TakeFilled(100 * kMiB);
  extents.area.GiveBack(extents.TakeFilled(1 * kMiB));
  const uint64_t lowered = extents.budget.UsedBytes() - 512 * kKiB;
  extents.budget.SetLimit(lowered);
  CHECK(extents.area.Take(1 * kMiB + 1) == kNoExtent);
  CHECK(extents.area.Trim() == 512 * kKiB);
  CHECK(extents.area.Trim() == 0);
  CHECK(extents.budget.UsedBytes() == lowered);
  CHECK(extents.area.IdleBytes() == 512 * kKiB);
  CHECK(extents.area.BytesOf(live) == 100 * kMiB);
}

TEST_CASE("a churn within the idle bound releases nothing and touches nothing new") {
  Extents extents(256 * kMiB);
  std::vector<ExtentId> taken;
  for (int i = 0; i < 3; ++i) taken.push_back(extents.TakeFilled(1 * kMiB));
  const uint64_t charged = extents.budget.UsedBytes();
  for (uint32_t i = 0; i < 1000; ++i) {
    ExtentId& one = taken[i % taken.size()];
    extents.area.GiveBack(one);
    CHECK(extents.area.Trim() == 0);
    one = extents.area.Take(1 * kMiB);
    REQUIRE(extents.Resident(one, 1 * kMiB) == 1 * kMiB);
  }
  CHECK(extents.budget.UsedBytes() == charged);
}

TEST_CASE("locked memory is released as well") {
  Extents extents;
  const ExtentId extent = extents.TakeFilled(256 * kKiB);
  REQUIRE(mlock(extents.area.At(extent), 256 * kKiB) == 0);
  extents.area.GiveBack(extent);
  extents.ReleaseAll();
  CHECK(extents.Resident(extent, 256 * kKiB) == 0);
  REQUIRE(munlock(extents.area.At(extent), 256 * kKiB) == 0);
}

// --- addresses -----------------------------------------------------------------------------------

TEST_CASE("a bin that runs out of slots borrows larger ones until there are none") {
  // Values far below half a slot, which nobody stores, use slots up before memory.
  Extents extents(1 * kMiB);
  REQUIRE(extents.area.BytesMax() == 2 * kMiB);
  std::vector<ExtentId> taken;
  while (const ExtentId extent = extents.area.Take(1)) {
    *extents.area.At(extent) = static_cast<char>(taken.size());
    taken.push_back(extent);
  }
  CHECK(taken.size() == 16 + 8 + 4 + 2 + 1);
  for (size_t i = 0; i < taken.size(); ++i) {
    CHECK(*extents.area.At(taken[i]) == static_cast<char>(i));
  }
  const uint64_t charged = extents.budget.UsedBytes();
  CHECK(extents.Charged() == taken.size() * kFrame);
  CHECK(extents.area.Take(1) == kNoExtent);
  CHECK(extents.budget.UsedBytes() == charged);
  uint64_t purse = kFrame / 2;
  REQUIRE(extents.budget.TryCharge(purse));
  CHECK(extents.area.Take(1, &purse) == kNoExtent);
  CHECK(extents.budget.UsedBytes() == charged + purse);
  extents.budget.Return(purse);
  for (const ExtentId extent : taken) extents.area.GiveBack(extent);
  CHECK(extents.area.Take(2 * kMiB) == kNoExtent);
  extents.ReleaseAll();
  CHECK(extents.area.Take(900 * kKiB) != kNoExtent);
}

// While it lives, the process gets at most `more_bytes` of address space beyond what it has.
class ScarceAddresses {
 public:
  explicit ScarceAddresses(uint64_t more_bytes) {
    REQUIRE(getrlimit(RLIMIT_AS, &before_) == 0);
    uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlimit scarce{pages * kFrame + more_bytes, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_AS, &scarce) == 0);
  }
  ~ScarceAddresses() { setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

TEST_CASE(
    "where addresses are scarce the limit has its extents, where they are fewer a part of it") {
  constexpr uint64_t kLimit = 64 * kMiB;
  constexpr uint64_t kReach = 32 * 1024 * kMiB;
  MemoryBudget budget(kLimit);
  {
    const ExtentArea plenty(kReach, budget);
    CHECK(plenty.BytesMax() == 1024 * kMiB);
  }
  {
    const ScarceAddresses scarce(4096 * kMiB);
    ExtentArea area(kReach, budget);
    CHECK(area.BytesMax() == 128 * kMiB);
    const ExtentId extent = area.Take(32 * kMiB);
    REQUIRE(extent != kNoExtent);
    area.At(extent)[32 * kMiB - 1] = 'x';
    area.GiveBack(extent);
    while (area.ReleaseIdle(kMiB) > 0) {
    }
    budget.Return(area.RecordBytes());
  }
  {
    const ScarceAddresses scarce(512 * kMiB);
    const ExtentArea area(kReach, budget);
    CHECK(area.BytesMax() == 32 * kMiB);
  }
  {
    const ScarceAddresses scarce(32 * kMiB);
    ExtentArea area(kReach, budget);
    CHECK(area.BytesMax() == 0);
    CHECK(area.Take(1) == kNoExtent);
    CHECK(area.Trim() == 0);
  }
  CHECK(budget.UsedBytes() == 0);
}

TEST_CASE("records are charged as slots are first used, and used again for others") {
  Extents extents(64 * kMiB);
  CHECK(extents.area.RecordBytes() == 0);
  for (int round = 0; round < 3; ++round) {
    std::vector<ExtentId> taken;
    for (int i = 0; i < 300; ++i) taken.push_back(extents.area.Take(100 * kKiB));
    CHECK(extents.area.RecordBytes() == 2 * kFrame);  // 256 of 16 bytes each
    for (const ExtentId extent : taken) extents.area.GiveBack(extent);
    if (round == 1) extents.ReleaseAll();
  }
}

// --- all together --------------------------------------------------------------------------------

struct Live {
  ExtentId extent = kNoExtent;
  uint64_t bytes = 0;
  uint64_t seed = 0;
};

// A word in every frame and the last byte: an overlap of any two extents is noticed.
void Write(const ExtentArea& area, const Live& live) {
  char* const begin = area.At(live.extent);
  for (uint64_t offset = 0; offset + sizeof(live.seed) <= live.bytes; offset += kFrame) {
    const uint64_t word = live.seed + offset;
    std::memcpy(begin + offset, &word, sizeof(word));
  }
  begin[live.bytes - 1] = static_cast<char>(live.seed);
}

bool IsIntact(const ExtentArea& area, const Live& live) {
  const char* const begin = area.At(live.extent);
  for (uint64_t offset = 0; offset + sizeof(live.seed) < live.bytes; offset += kFrame) {
    const uint64_t word = live.seed + offset;
    if (std::memcmp(begin + offset, &word, sizeof(word)) != 0) return false;
  }
  return begin[live.bytes - 1] == static_cast<char>(live.seed);
}

uint64_t AnySize(std::mt19937_64& random) {
  const uint64_t magnitude = uint64_t{1} << (10 + random() % 13);  // 1 KiB to 8 MiB
  return magnitude + random() % magnitude;
}

TEST_CASE(
    "whatever is taken and given back, nothing overlaps and no more is resident than charged") {
  Extents extents(64 * kMiB);
  std::mt19937_64 random(4);
  std::vector<Live> live;
  uint64_t refused = 0;
  uint64_t used = 0;
  for (uint64_t step = 0; step < 20'000; ++step) {
    const uint64_t dice = random() % 100;
    if (dice < 50) {
      Live one{.bytes = AnySize(random), .seed = random()};
      one.extent = extents.area.Take(one.bytes);
      if (one.extent == kNoExtent) {
        ++refused;
        REQUIRE(extents.budget.UsedBytes() + one.bytes > extents.budget.LimitBytes() - kFrame);
        extents.area.ReleaseIdle(one.bytes);
      } else {
        Write(extents.area, one);
        used += extents.area.ChargeFor(one.bytes);
        live.push_back(one);
      }
    } else if (dice < 95 && !live.empty()) {
      std::swap(live[random() % live.size()], live.back());
      REQUIRE(IsIntact(extents.area, live.back()));
      used -= extents.area.ChargeFor(live.back().bytes);
      extents.area.GiveBack(live.back().extent);
      live.pop_back();
    } else {
      extents.area.Trim();
    }
    REQUIRE(extents.area.UsedBytes() == used);
    REQUIRE(extents.Sum() == extents.budget.UsedBytes());
    if (step % 500 == 0 && !live.empty()) {
      const uint64_t resident = ResidentBytesAround(extents.area.At(live[0].extent));
      REQUIRE(resident >= used);
      REQUIRE(resident <= extents.Charged());
    }
  }
  CHECK(refused > 100);
  for (const Live& one : live) REQUIRE(IsIntact(extents.area, one));
}

TEST_CASE("threads that take, fill, check, hand on and give back at once find nothing amiss") {
  Extents extents(48 * kMiB);
  constexpr int kThreads = 4;
  std::atomic<uint64_t> spoilt{0};
  std::atomic<uint64_t> taken_count{0};
  std::mutex shelf_mutex;
  std::vector<Live> shelf;  // given back by whoever comes by
  const auto work = [&](uint64_t seed) {
    std::mt19937_64 random(seed);
    for (int step = 0; step < 3'000; ++step) {
      Live one{.bytes = AnySize(random) / 4 + 1, .seed = random()};
      one.extent = extents.area.Take(one.bytes);
      if (one.extent != kNoExtent) {
        ++taken_count;
        Write(extents.area, one);
        const std::lock_guard lock(shelf_mutex);
        shelf.push_back(one);
        if (shelf.size() < 24) continue;
        std::swap(shelf[random() % shelf.size()], shelf.back());
        one = shelf.back();
        shelf.pop_back();
      } else {
        extents.area.ReleaseIdle(one.bytes);
        continue;
      }
      spoilt += IsIntact(extents.area, one) ? 0 : 1;
      extents.area.GiveBack(one.extent);
      if (step % 8 == 0) extents.area.Trim();
    }
  };
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < kThreads; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
  CHECK(spoilt == 0);
  CHECK(taken_count > 1'000);
  CHECK(extents.Sum() == extents.budget.UsedBytes());
  uint64_t used = 0;
  for (const Live& one : shelf) {
    REQUIRE(IsIntact(extents.area, one));
    used += extents.area.ChargeFor(one.bytes);
    extents.area.GiveBack(one.extent);
  }
  CHECK(extents.area.UsedBytes() == 0);
  CHECK(used > 0);
  extents.ReleaseAll();
  CHECK(extents.Charged() == 0);
}

}  // namespace
}  // namespace larder::slab
