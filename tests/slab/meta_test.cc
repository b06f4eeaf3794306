// Meta look-ups, stale items, tokens, hollow items, and stores and sums with conditions.
#include <catch2/catch.hpp>

#include <array>
#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

#include "cache_fixture.h"

namespace larder::slab {
namespace {

class MetaUser : public OneUser {
 public:
  explicit MetaUser(const CacheConfig& config = {}) : OneUser(config) {}

  MetaHit Look(std::string_view key, const MetaGetSpec& spec = {}) {
    return cache->MetaGet(user.worker(), key, spec);
  }
  StoreResult Commit(std::string_view key, std::string_view value, const CommitSpec& spec,
                     const ItemSpec& item = {}) {
    ItemSpec sized = item;
    sized.key = key;
    sized.value_bytes = static_cast<uint32_t>(value.size());
    Reservation reservation = cache->Reserve(user.worker(), sized);
    REQUIRE(reservation);
    std::memcpy(reservation.Value().data(), value.data(), value.size());
    return cache->Commit(user.worker(), std::move(reservation), spec);
  }
  RemoveStatus Invalidate(std::string_view key, const InvalidateSpec& spec = {}) {
    return cache->Invalidate(user.worker(), key, spec);
  }
  RemoveStatus Hollow(std::string_view key, const HollowSpec& spec = {}) {
    return cache->Hollow(user.worker(), key, spec);
  }
  ArithmeticResult Sum(std::string_view key, const ArithmeticSpec& spec) {
    return cache->Arithmetic(user.worker(), key, spec);
  }
};

class MetaUserWithoutEviction : public MetaUser {
 public:
  MetaUserWithoutEviction() : MetaUser({.limit_bytes = 2 * kMiB, .evict = false}) {
    for (int i = 0; user.TryStore(Numbered("fill", static_cast<uint64_t>(i)), "v"); ++i) {
    }
  }
};

// --- looking -------------------------------------------------------------------------------------

TEST_CASE_METHOD(MetaUser, "a meta look-up tells the item's state from before it") {
  user.Set("k", "value", In(50));
  Tick(3);
  const MetaHit first = Look("k");
  REQUIRE(first);
  CHECK(first.hit.value == "value");
  CHECK_FALSE(first.details.was_fetched);
  CHECK(first.details.last_access_s == clock.NowSeconds() - 3);
  CHECK(first.details.expires_s == In(47));
  CHECK(first.details.class_id > 0);
  CHECK_FALSE(first.won);
  const MetaHit second = Look("k");
  CHECK(second.details.was_fetched);
  CHECK(second.details.last_access_s == clock.NowSeconds());
}

TEST_CASE_METHOD(MetaUser, "a look that leaves no mark, and a peek, leave none") {
  user.Set("k", "value");
  Tick(2);
  REQUIRE(Look("k", {.marks_access = false}));
  REQUIRE(cache->Peek(user.worker(), "k"));
  const ItemDetails details = cache->DetailsOf(cache->Peek(user.worker(), "k"));
  CHECK_FALSE(details.was_fetched);
  CHECK(details.last_access_s == clock.NowSeconds() - 2);
  const CacheStats stats = cache->Stats();
  CHECK(stats.sum.get_hits == 1);
  CHECK_FALSE(cache->Peek(user.worker(), "other"));
  CHECK(cache->Stats().get_misses == 0);
}

TEST_CASE_METHOD(MetaUser, "a look may touch, and tells both expiries") {
  user.Set("k", "value", In(50));
  const MetaHit hit = Look("k", {.touch_expires_s = In(9)});
  CHECK(hit.expires_before_s == In(50));
  CHECK(hit.details.expires_s == In(9));
  CHECK(cache->Stats().sum.touch_hits == 1);
  CHECK(cache->Stats().sum.get_hits == 0);
  CHECK_FALSE(Look("none", {.touch_expires_s = In(9)}));
  CHECK(cache->Stats().get_misses == 1);
  CHECK(cache->Stats().touch_misses == 0);
}

// --- filling holes -------------------------------------------------------------------------------

TEST_CASE_METHOD(MetaUser, "a miss may make an empty item, whose token the first caller has") {
  const MetaGetSpec spec{.vivify_expires_s = In(30)};
  const MetaHit first = Look("k", spec);
  REQUIRE(first);
  CHECK(first.created);
  CHECK(first.won);
  CHECK(first.hit.value.empty());
  CHECK(first.expires_before_s == In(30));
  const MetaHit second = Look("k", spec);
  REQUIRE(second);
  CHECK_FALSE(second.created);
  CHECK_FALSE(second.won);
  CHECK(second.details.token_is_sent);
  // Whoever fills it ends that.
  user.Set("k", "filled");
  CHECK_FALSE(Look("k").details.token_is_sent);
}

TEST_CASE_METHOD(MetaUser, "making an item counts as fetching it, a refused add does not") {
  REQUIRE(Look("k", {.vivify_expires_s = In(30)}));
  CHECK(Look("k").details.was_fetched);
  user.Set("a", "value");
  REQUIRE(user.Store(StoreMode::kAdd, "a", "other") == StoreStatus::kNotStored);
  CHECK_FALSE(Look("a").details.was_fetched);
}

TEST_CASE_METHOD(MetaUser, "an item made without taking the token has none to give") {
  REQUIRE(Look("k", {.takes_token = false, .vivify_expires_s = In(30)}).created);
  const MetaHit next = Look("k");
  CHECK_FALSE(next.won);
  CHECK_FALSE(next.details.token_is_sent);
}

TEST_CASE_METHOD(MetaUser, "the made item's id may be chosen, 0 included") {
  CHECK(Look("k", {.vivify_expires_s = 0, .vivify_cas = 77}).hit.cas == 77);
  CHECK(Look("z", {.vivify_expires_s = 0, .vivify_cas = 0}).hit.cas == 0);
}

TEST_CASE_METHOD(MetaUserWithoutEviction, "without memory a miss stays a miss") {
  CHECK_FALSE(Look("k", {.vivify_expires_s = 0}));
  CHECK(cache->Stats().get_misses == 1);
  CHECK(Sum("n", {.vivify_expires_s = 0}).status == ArithmeticStatus::kNoMemoryToCreate);
  CHECK(Hollow("fill0") == RemoveStatus::kNoMemory);
  CHECK(user.Get("fill0") == "v");
}

// --- early refresh -------------------------------------------------------------------------------

TEST_CASE_METHOD(MetaUser, "an item about to expire gives its token to one who asks for it") {
  user.Set("k", "value", In(30));
  CHECK_FALSE(Look("k", {.recache_below_s = 30}).won);
  CHECK(Look("k", {.recache_below_s = 31}).won);
  const MetaHit next = Look("k", {.recache_below_s = 31});
  CHECK_FALSE(next.won);
  CHECK(next.details.token_is_sent);
  CHECK(Look("k").details.token_is_sent);
  user.Set("forever", "value");
  CHECK_FALSE(Look("forever", {.recache_below_s = 1000}).won);
}

TEST_CASE_METHOD(MetaUser,
                 "a touch in the same look counts for the refresh unless it comes after") {
  user.Set("k", "value", In(30));
  CHECK_FALSE(Look("k", {.touch_expires_s = In(500), .recache_below_s = 100}).won);
  user.Touch("k", In(30));
  CHECK(
      Look("k", {.touch_expires_s = In(500), .recache_below_s = 100, .recaches_before_touch = true})
          .won);
}

TEST_CASE_METHOD(MetaUser, "a touch into the past asks for the refresh at once") {
  user.Set("k", "value");
  CHECK(Look("k", {.touch_expires_s = kAlreadyExpired, .recache_below_s = 50}).won);
}

// --- stale items ---------------------------------------------------------------------------------

TEST_CASE_METHOD(MetaUser, "an invalidated item is served as stale and its token goes to one") {
  user.Set("k", "value", In(100));
  const uint64_t cas = user.CasOf("k");
  REQUIRE(Invalidate("k", {.expires_s = In(30)}) == RemoveStatus::kRemoved);
  const MetaHit first = Look("k");
  CHECK(first.hit.value == "value");
  CHECK(first.details.is_stale);
  CHECK(first.won);
  CHECK(first.details.expires_s == In(30));
  CHECK(first.hit.cas > cas);
  CHECK_FALSE(Look("k").won);
  CHECK(Look("k").details.token_is_sent);
  // Another invalidation takes the token back.
  REQUIRE(Invalidate("k") == RemoveStatus::kRemoved);
  CHECK(Look("k").won);
  CHECK(user.Get("k") == "value");
  user.Set("k", "fresh");
  CHECK_FALSE(Look("k").details.is_stale);
}

TEST_CASE_METHOD(MetaUser, "invalidation compares ids, 0 being one, and misses like a removal") {
  user.Set("k", "value");
  CHECK(Invalidate("k", {.compare_cas = 0}) == RemoveStatus::kExists);
  CHECK(Invalidate("k", {.compare_cas = user.CasOf("k"), .new_cas = 99}) == RemoveStatus::kRemoved);
  CHECK(user.CasOf("k") == 99);
  CHECK(Invalidate("none") == RemoveStatus::kNotFound);
  CHECK(cache->Stats().delete_misses == 2);
  CHECK(cache->Stats().sum.delete_hits == 0);
}

TEST_CASE_METHOD(MetaUser, "a store with an older id may pass as a stale one") {
  user.Set("k", "value", In(60));
  const uint64_t cas = user.CasOf("k");
  CommitSpec older{.mode = StoreMode::kCas, .cas = cas - 1, .invalidates_older = true};
  CHECK(Commit("k", "older", older, {.expires_s = In(5)}).status == StoreStatus::kStored);
  const MetaHit hit = Look("k");
  CHECK(hit.hit.value == "older");
  CHECK(hit.details.is_stale);
  CHECK(hit.details.expires_s == In(60));
  CHECK(hit.won);
  // The token stays out.
  older.cas = hit.hit.cas - 1;
  CHECK(Commit("k", "older still", older).status == StoreStatus::kStored);
  CHECK_FALSE(Look("k").won);
  older.cas = user.CasOf("k") + 1;
  CHECK(Commit("k", "newer", older).status == StoreStatus::kExists);
  older.cas = 0;
  CHECK(Commit("k", "zero", older).status == StoreStatus::kExists);
  older.cas = user.CasOf("k");
  CHECK(Commit("k", "equal", older).status == StoreStatus::kStored);
  CHECK_FALSE(Look("k").details.is_stale);
}

TEST_CASE_METHOD(MetaUser, "of many threads that meet a stale item exactly one has the token") {
  constexpr int kThreads = 4;
  constexpr int kRounds = 500;
  std::array<std::atomic<int>, kRounds> winners{};
  std::barrier together(kThreads + 1);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      Worker& worker = cache->AddWorker();
      for (auto& winner : winners) {
        together.arrive_and_wait();
        cache->Online(worker);
        winner += cache->MetaGet(worker, "k", {}).won ? 1 : 0;
        cache->Offline(worker);
        together.arrive_and_wait();
      }
    });
  }
  for (int round = 0; round < kRounds; ++round) {
    user.Set("k", "value");
    CHECK(Invalidate("k") == RemoveStatus::kRemoved);
    user.NextTurn();
    together.arrive_and_wait();
    together.arrive_and_wait();
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& winner : winners) REQUIRE(winner == 1);
}

// --- hollow items --------------------------------------------------------------------------------

TEST_CASE_METHOD(MetaUser, "a hollowed item is empty, keeps its id and counts as removed") {
  user.TryStore("k", "value", StoreMode::kSet, In(50), 0, 9);
  const uint64_t cas = user.CasOf("k");
  REQUIRE(Hollow("k") == RemoveStatus::kRemoved);
  const MetaHit hit = Look("k");
  CHECK(hit.hit.value.empty());
  CHECK(hit.hit.cas == cas);
  CHECK(hit.hit.client_flags == 0);
  CHECK(hit.details.expires_s == kNeverExpires);
  CHECK_FALSE(hit.details.is_stale);
  CHECK_FALSE(hit.details.was_fetched);
  CHECK(cache->Stats().sum.delete_hits == 1);
}

TEST_CASE_METHOD(MetaUser, "a stale hollow item has a new id and is not counted") {
  user.Set("k", "value");
  const uint64_t cas = user.CasOf("k");
  REQUIRE(Hollow("k", {.expires_s = In(30), .client_flags = 5, .becomes_stale = true}) ==
          RemoveStatus::kRemoved);
  const MetaHit hit = Look("k");
  CHECK(hit.hit.cas > cas);
  CHECK(hit.hit.client_flags == 5);
  CHECK(hit.details.is_stale);
  CHECK(hit.won);
  CHECK(cache->Stats().sum.delete_hits == 0);
  CHECK(Hollow("k", {.compare_cas = cas}) == RemoveStatus::kExists);
  CHECK(Hollow("none") == RemoveStatus::kNotFound);
}

// --- stores and sums with conditions -------------------------------------------------------------

TEST_CASE_METHOD(MetaUser, "a store may bring its id") {
  CHECK(Commit("k", "value", {.new_cas = 1234}).cas == 1234);
  CHECK(user.CasOf("k") == 1234);
  const StoreResult appended = Commit("k", "+", {.mode = StoreMode::kAppend, .new_cas = 5});
  CHECK(appended.cas == 5);
  CHECK(appended.value_bytes == 6);
}

TEST_CASE_METHOD(MetaUser, "append compares ids unless told 0, and may store where nothing is") {
  user.Set("k", "value");
  const uint64_t cas = user.CasOf("k");
  CHECK(Commit("k", "+", {.mode = StoreMode::kAppend, .cas = cas + 9}).status ==
        StoreStatus::kExists);
  CHECK(Commit("k", "+", {.mode = StoreMode::kAppend, .cas = cas}).status == StoreStatus::kStored);
  CHECK(Commit("k", "+", {.mode = StoreMode::kAppend, .cas = 0}).status == StoreStatus::kStored);
  CHECK(user.Get("k") == "value++");
  CHECK(Commit("new", "a", {.mode = StoreMode::kPrepend, .cas = 7}).status ==
        StoreStatus::kNotStored);
  CHECK(Commit("new", "a", {.mode = StoreMode::kPrepend, .vivifies = true},
               {.client_flags = 3, .expires_s = In(9)})
            .status == StoreStatus::kStored);
  CHECK(Look("new").hit.client_flags == 3);
  CHECK(Look("new").details.expires_s == In(9));
}

TEST_CASE_METHOD(MetaUser, "a sum may create, touch, compare and bring its id") {
  const ArithmeticResult made = Sum("n", {.delta = 5, .vivify_expires_s = In(30), .initial = 13});
  CHECK(made.created);
  CHECK(made.number == 13);
  CHECK(made.expires_s == In(30));
  CHECK(user.Get("n") == "13");
  const ArithmeticResult added = Sum("n", {.delta = 5, .new_cas = 88, .touch_expires_s = In(60)});
  CHECK_FALSE(added.created);
  CHECK(added.number == 18);
  CHECK(added.cas == 88);
  CHECK(added.expires_before_s == In(30));
  CHECK(added.expires_s == In(60));
  CHECK(Sum("n", {.cas = 87}).status == ArithmeticStatus::kExists);
  user.Set("empty", "");
  CHECK(Sum("empty", {.cas = 1}).status == ArithmeticStatus::kNonNumeric);
  CHECK(Sum("n", {.increment = false, .cas = 88}).number == 17);
  const CacheStats stats = cache->Stats();
  CHECK(stats.sum.incr_hits == 1);
  CHECK(stats.incr_misses == 0);
}

TEST_CASE_METHOD(MetaUser,
                 "a sum of the same length keeps the item's marks, a longer one does not") {
  Commit("n", "8", {}, {.has_binary_key = true});
  REQUIRE(Invalidate("n") == RemoveStatus::kRemoved);
  REQUIRE(Look("n").won);
  CHECK(Sum("n", {}).number == 9);
  ItemDetails details = Look("n").details;
  CHECK(details.is_stale);
  CHECK(details.token_is_sent);
  CHECK(details.has_binary_key);
  CHECK(details.was_fetched);
  CHECK(Sum("n", {}).number == 10);
  details = Look("n").details;
  CHECK_FALSE(details.is_stale);
  CHECK_FALSE(details.token_is_sent);
  CHECK_FALSE(details.has_binary_key);
}

}  // namespace
}  // namespace larder::slab
