// append and prepend that make a large value, a step a turn: the same answers as in one go,
// whatever happens between two steps, and nothing is left of one that is not finished.
#include <catch2/catch.hpp>

#include <string>
#include <utility>
#include <vector>

#include "slab/large_concatenation.h"
#include "slab/race_window.h"
#include "tests/slab/cache_fixture.h"

namespace larder::slab {
namespace {

constexpr size_t kSlice = LargeConcatenation::kSliceBytes;
const std::string kOld(3 * kMiB, 'o');

struct Begun {
  StoreResult result = {};
  UnfinishedStore rest = {};
};

Begun Begin(CacheUser& user, std::string_view key, std::string_view sent, const CommitSpec& spec,
            uint32_t expires_s = kNeverExpires) {
  Reservation reservation =
      user.cache().Reserve(user.worker(), {.key = key,
                                           .client_flags = 3,
                                           .expires_s = expires_s,
                                           .value_bytes = static_cast<uint32_t>(sent.size()),
                                           .may_wait = true});
  REQUIRE(reservation.Status() == ReserveStatus::kReserved);
  std::memcpy(reservation.Value().data(), sent.data(), sent.size());
  Begun begun;
  begun.result = user.cache().Commit(user.worker(), std::move(reservation), spec, &begun.rest);
  REQUIRE((begun.rest != nullptr) == (begun.result.status == StoreStatus::kUnfinished));
  if (begun.rest != nullptr) user.cache().AwaitRoom(begun.rest, [] {});
  return begun;
}

bool GoesOn(const Begun& begun) { return begun.rest != nullptr; }

// One step and the end of its turn.
StoreStatus Step(CacheUser& user, Begun& begun) {
  INFO(static_cast<int>(begun.result.status));
  REQUIRE(GoesOn(begun));
  begun.result = user.cache().ContinueCommit(user.worker(), begun.rest);
  user.cache().Quiesce(user.worker());
  return begun.result.status;
}

StoreResult Finish(CacheUser& user, Begun& begun) {
  for (int i = 0; i < 1'000 && GoesOn(begun); ++i) Step(user, begun);
  REQUIRE_FALSE(GoesOn(begun));
  return begun.result;
}

class Large : public OneUser {
 public:
  explicit Large(const CacheConfig& config = {.limit_bytes = 64 * kMiB,
                                              .item_bytes_max = 16 * kMiB})
      : OneUser(config) {}

  Begun Append(std::string_view sent, const CommitSpec& spec = {.mode = StoreMode::kAppend}) {
    return Begin(user, "k", sent, spec);
  }
  // An append of "end" to kOld, of which some is copied.
  Begun AppendHalf(const CommitSpec& spec = {.mode = StoreMode::kAppend}) {
    REQUIRE(user.TryStore("k", kOld, StoreMode::kSet, In(1000)));
    Begun begun = Append("end", spec);
    for (int i = 0; i < 5; ++i) REQUIRE(Step(user, begun) == StoreStatus::kUnfinished);
    return begun;
  }
  StoreStatus End(Begun& begun) { return Finish(user, begun).status; }
  // As much room as can be made now.
  Cache::RoomWork Work() {
    Cache::RoomWork work = Cache::RoomWork::kMore;
    user.BetweenTurns([&] {
      while (work == Cache::RoomWork::kMore) work = cache->MakeRoom();
    });
    return work;
  }
  // Values whose clients do not finish; ten fit half of the memory.
  std::vector<Reservation> BeginValues(uint64_t count) {
    std::vector<Reservation> begun;
    for (uint64_t i = 0; i < count; ++i) {
      begun.push_back(cache->Reserve(
          user.worker(), {.key = Numbered("r", i), .value_bytes = 3'200'000, .may_wait = true}));
      if (begun.back()) continue;
      REQUIRE(begun.back().Status() == ReserveStatus::kAwaitsRoom);
      cache->AwaitRoom(begun.back(), [] {});
    }
    return begun;
  }
  // Not compared in an assertion, which would print megabytes.
  bool Holds(const std::string& value) { return user.Get("k") == value; }
  uint64_t LentBytes() {
    for (int i = 0; i < 3; ++i) Maintain();
    return cache->Stats().extent_bytes;
  }
};

TEST_CASE("a large result is made of slices, in either order and of parts of any size") {
  Large cache;
  const size_t old_bytes = GENERATE(size_t{0}, size_t{5}, 60 * size_t{1024}, 2 * kMiB + 77);
  const size_t sent_bytes = GENERATE(size_t{3}, kMiB + 5, 4 * kMiB);
  const auto mode = GENERATE(StoreMode::kAppend, StoreMode::kPrepend);
  const std::string old(old_bytes, 'o');
  const std::string sent(sent_bytes, 's');
  const auto stored = cache.user.TryStore("k", old, StoreMode::kSet, cache.In(9), 0, 7);
  REQUIRE(stored);
  Begun begun = cache.Append(sent, {.mode = mode});
  const bool is_large = old_bytes + sent_bytes > LargeConcatenation::kAtOnceBytesMax;
  REQUIRE(GoesOn(begun) == is_large);
  size_t steps = 0;
  for (; GoesOn(begun); ++steps) Step(cache.user, begun);
  CHECK(begun.result.status == StoreStatus::kStored);
  CHECK(begun.result.cas == stored->cas + 1);
  CHECK(begun.result.value_bytes == old_bytes + sent_bytes);
  const size_t sliced = sent_bytes + (old_bytes < 64 * size_t{1024} ? 0 : old_bytes);
  if (is_large) CHECK(steps == (sliced + kSlice - 1) / kSlice);
  CHECK(cache.Holds(mode == StoreMode::kAppend ? old + sent : sent + old));
  const Hit hit = cache.cache->Peek(cache.user.worker(), "k");
  CHECK(hit.client_flags == 7);
  CHECK(hit.expires_s == cache.In(9));
  CHECK(hit.cas == begun.result.cas);
  const CacheStats stats = cache.cache->Stats();
  CHECK(stats.sum.cmd_set == 2);
  CHECK(stats.total_items == 2);
  CHECK(stats.sum.item_count == 1);
}

TEST_CASE("one that may not wait is done at once, however large") {
  Large cache;
  cache.user.Set("k", kOld);
  REQUIRE(cache.user.Store(StoreMode::kAppend, "k", "end") == StoreStatus::kStored);
  CHECK(cache.Holds(kOld + "end"));
}

TEST_CASE("until the last step everybody finds the old value") {
  Large cache;
  Begun begun = cache.AppendHalf();
  while (GoesOn(begun)) {
    REQUIRE(cache.Holds(kOld));
    Step(cache.user, begun);
  }
  CHECK(cache.Holds(kOld + "end"));
}

TEST_CASE("a value that is replaced while it is copied: the new one is appended to") {
  Large cache;
  Begun begun = cache.AppendHalf();
  SECTION("by another large one") {
    cache.user.Set("k", std::string(2 * kMiB, 'n'));
    REQUIRE(cache.End(begun) == StoreStatus::kStored);
    CHECK(cache.Holds(std::string(2 * kMiB, 'n') + "end"));
  }
  SECTION("by one of the same size") {
    cache.user.Set("k", std::string(kOld.size(), 'n'));
    REQUIRE(cache.End(begun) == StoreStatus::kStored);
    CHECK(cache.Holds(std::string(kOld.size(), 'n') + "end"));
  }
  SECTION("by others of the same size, one of which could get its memory") {
    for (const char letter : {'l', 'm', 'n'}) {
      cache.user.Set("k", std::string(kOld.size(), letter));
      for (int i = 0; i < 3; ++i) cache.Maintain();
    }
    REQUIRE(cache.End(begun) == StoreStatus::kStored);
    CHECK(cache.Holds(std::string(kOld.size(), 'n') + "end"));
  }
  SECTION("by a small one") {
    cache.user.Set("k", "small");
    REQUIRE(cache.End(begun) == StoreStatus::kStored);
    CHECK(cache.Holds("smallend"));
  }
  SECTION("by what another append has made") {
    REQUIRE(cache.user.Store(StoreMode::kAppend, "k", "other") == StoreStatus::kStored);
    REQUIRE(cache.End(begun) == StoreStatus::kStored);
    CHECK(cache.Holds(kOld + "otherend"));
  }
  CHECK(cache.LentBytes() <= kOld.size() + 16'384);
}

TEST_CASE("a small old value that is replaced by one of the same size is the new one at the end") {
  Large cache;
  cache.user.Set("k", "old");
  Begun begun = cache.Append(kOld);
  for (int i = 0; i < 5; ++i) REQUIRE(Step(cache.user, begun) == StoreStatus::kUnfinished);
  cache.user.Set("k", "new");
  REQUIRE(cache.End(begun) == StoreStatus::kStored);
  CHECK(cache.Holds("new" + kOld));
}

TEST_CASE("a value that is gone before its copy is whole: nothing is stored, or what was sent is") {
  Large cache;
  const bool vivifies = GENERATE(false, true);
  Begun begun = cache.AppendHalf({.mode = StoreMode::kAppend, .vivifies = vivifies});
  SECTION("removed") { cache.user.Remove("k"); }
  SECTION("flushed") { cache.user.FlushNow(); }
  SECTION("touched so that it is expired") { cache.user.Touch("k", kAlreadyExpired); }
  SECTION("expired") { cache.Tick(1001); }
  REQUIRE(cache.End(begun) == (vivifies ? StoreStatus::kStored : StoreStatus::kNotStored));
  CHECK(cache.user.Get("k") == (vivifies ? std::optional<std::string>("end") : std::nullopt));
  CHECK(cache.LentBytes() == 0);
}

TEST_CASE("a flush takes what was appended to before it, and a touch is not lost") {
  Large cache;
  Begun begun = cache.AppendHalf();
  REQUIRE(cache.user.Touch("k", cache.In(50)));
  REQUIRE(cache.End(begun) == StoreStatus::kStored);
  CHECK(cache.cache->Peek(cache.user.worker(), "k").expires_s == cache.In(50));
  Begun next = cache.Append("more");
  for (int i = 0; i < 5; ++i) REQUIRE(Step(cache.user, next) == StoreStatus::kUnfinished);
  cache.cache->FlushAt(cache.user.worker(), cache.In(3));
  REQUIRE(cache.End(next) == StoreStatus::kStored);
  CHECK(cache.Holds(kOld + "endmore"));
  cache.Tick(5);
  CHECK_FALSE(cache.user.Has("k"));
}

TEST_CASE("the id that was asked for is looked at again at the end") {
  Large cache;
  cache.user.Set("k", kOld);
  const uint64_t cas = cache.user.CasOf("k");
  Begun begun = cache.Append("end", {.mode = StoreMode::kAppend, .cas = cas});
  for (int i = 0; i < 5; ++i) REQUIRE(Step(cache.user, begun) == StoreStatus::kUnfinished);
  SECTION("it is the same") {
    REQUIRE(cache.End(begun) == StoreStatus::kStored);
    CHECK(cache.Holds(kOld + "end"));
  }
  SECTION("the item was invalidated, and has another") {
    REQUIRE(cache.cache->Invalidate(cache.user.worker(), "k", {}) == RemoveStatus::kRemoved);
    REQUIRE(cache.End(begun) == StoreStatus::kExists);
    CHECK(cache.Holds(kOld));
  }
  SECTION("the item was replaced") {
    cache.user.Set("k", kOld);
    REQUIRE(cache.End(begun) == StoreStatus::kExists);
    CHECK(cache.Holds(kOld));
  }
}

TEST_CASE("one whose item is replaced again and again is done in one go in the end") {
  Large cache;
  cache.user.Set("k", kOld);
  Begun begun = cache.Append("end");
  uint32_t replaced = 0;
  std::string value = kOld;
  while (GoesOn(begun)) {
    Step(cache.user, begun);
    if (!GoesOn(begun)) break;
    REQUIRE(++replaced < 200);
    value = std::string(kOld.size(), static_cast<char>('a' + replaced % 26));
    cache.user.Set("k", value);
  }
  CHECK(begun.result.status == StoreStatus::kStored);
  CHECK(replaced > LargeConcatenation::kRestartsMax);
  CHECK(cache.Holds(value + "end"));
}

TEST_CASE("a client that goes away leaves nothing behind, at whatever step") {
  Large cache;
  cache.user.Set("k", kOld);
  const uint64_t before = cache.LentBytes();
  const int steps = GENERATE(0, 1, 6, 12);
  const bool is_replaced = GENERATE(false, true);
  {
    Begun begun = cache.Append(std::string(kMiB, 's'));
    for (int i = 0; i < steps; ++i) REQUIRE(Step(cache.user, begun) == StoreStatus::kUnfinished);
    if (is_replaced) cache.user.Set("k", "small");
    CHECK(cache.cache->Stats().extent_bytes > before);
  }
  if (!is_replaced) CHECK(cache.Holds(kOld));
  CHECK(cache.LentBytes() == (is_replaced ? 0 : before));
  // Nothing is counted as under way: half of the memory can be.
  std::vector<Reservation> all;
  for (uint64_t i = 0; i < 4; ++i) {
    all.push_back(cache.cache->Reserve(
        cache.user.worker(),
        {.key = Numbered("r", i), .value_bytes = 8'000'000, .may_wait = true}));
    REQUIRE(all.back().Status() == ReserveStatus::kReserved);
  }
}

TEST_CASE("a result that fits nowhere is not stored, and takes a number") {
  SECTION("larger than items may be") {
    Large cache;
    cache.user.Set("k", std::string(10 * kMiB, 'o'));
    const uint64_t cas = cache.user.CasOf("k");
    Begun begun = cache.Append(std::string(8 * kMiB, 's'));
    REQUIRE(cache.End(begun) == StoreStatus::kNotStored);
    CHECK(cache.user.TryStore("next", "x")->cas == cas + 2);
  }
  SECTION("larger than what is left with evictions off") {
    Large cache({.limit_bytes = 16 * kMiB, .evict = false, .item_bytes_max = 8 * kMiB});
    cache.user.Set("k", std::string(7 * kMiB, 'o'));
    cache.user.Set("other", std::string(2 * kMiB, 'o'));
    Begun begun = cache.Append("end");
    REQUIRE(cache.End(begun) == StoreStatus::kNotStored);
    CHECK(cache.cache->Stats().sum.outofmemory == 1);
    cache.user.Remove("other");
    cache.Maintain();
    begun = cache.Append("end");
    REQUIRE(cache.End(begun) == StoreStatus::kStored);
    CHECK(cache.Holds(std::string(7 * kMiB, 'o') + "end"));
  }
}

#ifdef LARDER_RACE_WINDOWS

// What the other user does once, between the last look and the swing.
CacheUser* other_user = nullptr;
void (*deed)(CacheUser&) = nullptr;

void DoDeed(Window window) {
  if (window != Window::kJoinedNotSwung || deed == nullptr) return;
  std::exchange(deed, nullptr)(*other_user);
}

TEST_CASE("what happens between the last look and the swing is not lost") {
  Large cache;
  CacheUser other(*cache.cache);
  other_user = &other;
  SetRaceHook(DoDeed);
  Begun begun = cache.AppendHalf();
  SECTION("replaced") {
    deed = [](CacheUser& user) { user.Set("k", std::string(kOld.size(), 'n')); };
    CHECK(cache.End(begun) == StoreStatus::kStored);
    CHECK(cache.Holds(std::string(kOld.size(), 'n') + "end"));
  }
  SECTION("removed") {
    deed = [](CacheUser& user) { user.Remove("k"); };
    CHECK(cache.End(begun) == StoreStatus::kNotStored);
  }
  SECTION("touched") {
    deed = [](CacheUser& user) { user.Touch("k", kNeverExpires); };
    CHECK(cache.End(begun) == StoreStatus::kStored);
    CHECK(cache.cache->Peek(cache.user.worker(), "k").expires_s == kNeverExpires);
  }
  SECTION("flushed") {
    deed = [](CacheUser& user) { user.FlushNow(); };
    CHECK(cache.End(begun) == StoreStatus::kNotStored);
  }
  SetRaceHook(nullptr);
  CHECK(deed == nullptr);
}

#endif

// A cache full of smaller items, so that results await their memory.
class Full : public Large {
 public:
  Full() {
    const std::string small(10'000, 's');
    for (uint64_t i = 0; cache->Stats().sum.evicted < 100; ++i) {
      user.Set(Numbered("small", i), small);
      if (i % 50 == 0) user.NextTurn();
    }
    Tick(100);
    user.Set("k", kOld);
  }
};

TEST_CASE("a result awaits its memory in a full cache, and the old value is not what makes way") {
  Full cache;
  Begun begun = cache.Append("end");
  int woken = 0;
  cache.cache->AwaitRoom(begun.rest, [&woken] { ++woken; });
  REQUIRE(Step(cache.user, begun) == StoreStatus::kAwaitsRoom);
  CHECK(cache.cache->Stats().room_waiting_count == 1);
  SECTION("and is made") {
    CHECK(cache.Work() == Cache::RoomWork::kIdle);
    CHECK(woken == 1);
    REQUIRE(cache.End(begun) == StoreStatus::kStored);
    CHECK(cache.Holds(kOld + "end"));
  }
  SECTION("and its client goes away") {
    begun.rest.reset();
    CHECK(cache.cache->Stats().room_waiting_count == 0);
    CHECK(cache.Holds(kOld));
  }
  SECTION("and meanwhile the value is removed") {
    cache.user.Remove("k");
    CHECK(cache.Work() == Cache::RoomWork::kIdle);
    REQUIRE(cache.End(begun) == StoreStatus::kNotStored);
  }
  CHECK(cache.cache->Stats().store_no_memory == 0);
  CHECK(cache.cache->Stats().used_bytes <= 64 * kMiB);
}

TEST_CASE("a result does not wait for values whose clients do not finish, nor behind who does") {
  Large cache;
  cache.user.Set("k", kOld);
  const std::vector<Reservation> slow = cache.BeginValues(12);
  REQUIRE(slow[9].Status() == ReserveStatus::kReserved);
  REQUIRE(slow[10].Status() == ReserveStatus::kAwaitsRoom);
  REQUIRE(cache.Work() == Cache::RoomWork::kBlocked);
  Begun begun = cache.Append("end");
  REQUIRE(Step(cache.user, begun) == StoreStatus::kAwaitsRoom);
  CHECK(cache.Work() == Cache::RoomWork::kBlocked);
  REQUIRE(cache.End(begun) == StoreStatus::kStored);
  CHECK(cache.Holds(kOld + "end"));
  CHECK(cache.cache->Stats().room_waiting_count == 2);
}

TEST_CASE("a result for which there is no patience left is made in one go") {
  Large cache;
  const std::vector<Reservation> slow = cache.BeginValues(8);
  std::vector<Begun> results;
  for (const char* const key : {"k", "l", "m"}) {
    cache.user.Set(key, kOld);
    results.push_back(Begin(cache.user, key, "end", {.mode = StoreMode::kAppend}));
    Step(cache.user, results.back());
  }
  // Two results fit half of the memory beside the values, and are not gone on with.
  REQUIRE(results[1].result.status == StoreStatus::kUnfinished);
  REQUIRE(results[2].result.status == StoreStatus::kAwaitsRoom);
  REQUIRE(cache.Work() == Cache::RoomWork::kBlocked);
  cache.user.BetweenTurns([&] { cache.CacheFixture::Tick(31); });
  CHECK(cache.Work() == Cache::RoomWork::kIdle);
  REQUIRE(Step(cache.user, results[2]) == StoreStatus::kStored);
  CHECK(cache.user.Get("m") == kOld + "end");
  CHECK(cache.cache->Stats().store_no_memory == 0);
  REQUIRE(cache.End(results[0]) == StoreStatus::kStored);
  REQUIRE(cache.End(results[1]) == StoreStatus::kStored);
}

TEST_CASE("clients that all wait for the results of what they have sent are all served") {
  Full cache;
  constexpr size_t kSent = 6 * kMiB;
  std::vector<Begun> begun;
  for (uint64_t i = 0; i < 5; ++i) {
    const std::string key = Numbered("a", i);
    cache.user.Set(key, "old");
    Reservation sent = cache.cache->Reserve(cache.user.worker(),
                                            {.key = key, .value_bytes = kSent, .may_wait = true});
    if (sent.Status() == ReserveStatus::kAwaitsRoom) {
      cache.cache->AwaitRoom(sent, [] {});
      cache.Work();
      REQUIRE(cache.cache->TakeRoom(cache.user.worker(), sent) == RoomStatus::kReady);
    }
    std::memset(sent.Value().data(), 's', kSent);
    begun.emplace_back();
    cache.cache->Commit(cache.user.worker(), std::move(sent), {.mode = StoreMode::kAppend},
                        &begun.back().rest);
    cache.cache->AwaitRoom(begun.back().rest, [] {});
  }
  for (int turn = 0; turn < 200; ++turn) {
    for (Begun& one : begun) {
      if (GoesOn(one)) Step(cache.user, one);
    }
    cache.Work();
  }
  for (Begun& one : begun) CHECK(one.result.status == StoreStatus::kStored);
  CHECK(cache.user.Get("a3") == "old" + std::string(kSent, 's'));
}

}  // namespace
}  // namespace larder::slab
