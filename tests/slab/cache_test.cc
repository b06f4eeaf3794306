#include <catch2/catch.hpp>

#include "cache_fixture.h"

namespace larder::slab {
namespace {

class OneUserWithoutCas : public OneUser {
 public:
  OneUserWithoutCas() : OneUser(CacheConfig{.use_cas = false}) {}
};

// --- storing and reading -------------------------------------------------------------------------

TEST_CASE_METHOD(OneUser, "what is set is read, whole, with its flags") {
  REQUIRE(user.TryStore("k", "value", StoreMode::kSet, 0, 0, 42)->status == StoreStatus::kStored);
  const Hit hit = cache->Get(user.worker(), "k");
  REQUIRE(hit);
  CHECK(hit.key == "k");
  CHECK(hit.value == "value");
  CHECK(hit.client_flags == 42);
  CHECK_FALSE(user.Has("K"));
}

TEST_CASE_METHOD(OneUser,
                 "keys of 1 to 250 bytes and values of 0 bytes to a page are kept exactly") {
  for (const size_t key_bytes : {1U, 2U, 249U, 250U}) {
    for (const size_t value_bytes : {0U, 1U, 100U, 16'383U, 16'384U, 500'000U, 1'048'000U}) {
      const std::string key(key_bytes, 'k');
      const std::string value(value_bytes, static_cast<char>('a' + value_bytes % 26));
      REQUIRE(user.Set(key, value) == StoreStatus::kStored);
      REQUIRE(user.Get(key) == value);
    }
  }
}

TEST_CASE_METHOD(OneUser, "keys and values may hold any byte") {
  const std::string key("\0\xFF\t \x80", 5);
  const std::string value("\0\r\n\xFF", 4);
  user.Set(key, value);
  CHECK(user.Get(key) == value);
}

TEST_CASE_METHOD(OneUser, "memcached's largest default value fits") {
  for (const uint32_t key_bytes : {1U, 250U}) {
    const std::string key(key_bytes, 'k');
    CHECK(user.TryStore(key, std::string(1'048'517 - key_bytes, 'v'), StoreMode::kSet, 0, 0, 7));
  }
}

TEST_CASE_METHOD(OneUser, "an item larger than 1 MiB is too large, and the old one stays") {
  user.Set("k", "old");
  const Reservation refused = cache->Reserve(user.worker(), {.key = "k", .value_bytes = kMiB});
  CHECK_FALSE(refused);
  CHECK(refused.Status() == ReserveStatus::kTooLarge);
  CHECK(cache->Stats().store_too_large == 1);
  CHECK(user.Get("k") == "old");
  cache->DropForFailedSet(user.worker(), "k");
  CHECK_FALSE(user.Has("k"));
}

TEST_CASE_METHOD(OneUser, "add stores only what is absent, replace only what is present") {
  CHECK(user.Store(StoreMode::kReplace, "k", "1") == StoreStatus::kNotStored);
  CHECK(user.Store(StoreMode::kAdd, "k", "2") == StoreStatus::kStored);
  CHECK(user.Store(StoreMode::kAdd, "k", "3") == StoreStatus::kNotStored);
  CHECK(user.Get("k") == "2");
  CHECK(user.Store(StoreMode::kReplace, "k", "4") == StoreStatus::kStored);
  CHECK(user.Get("k") == "4");
}

TEST_CASE_METHOD(OneUser, "append and prepend keep the flags and the expiry of the item") {
  user.TryStore("k", "mid", StoreMode::kSet, In(10), 0, 5);
  CHECK(user.Store(StoreMode::kAppend, "k", ">") == StoreStatus::kStored);
  CHECK(user.Store(StoreMode::kPrepend, "k", "<") == StoreStatus::kStored);
  const Hit hit = cache->Get(user.worker(), "k");
  CHECK(hit.value == "<mid>");
  CHECK(hit.client_flags == 5);
  CHECK(hit.expires_s == In(10));
  CHECK(user.Store(StoreMode::kAppend, "absent", "x") == StoreStatus::kNotStored);
  CHECK_FALSE(user.Has("absent"));
}

TEST_CASE_METHOD(OneUser, "an append whose result is too large is not stored and loses nothing") {
  const std::string half(600'000, 'h');
  user.Set("k", half);
  CHECK(user.Store(StoreMode::kAppend, "k", half) == StoreStatus::kNotStored);
  CHECK(user.Get("k") == half);
}

TEST_CASE_METHOD(OneUser,
                 "a reservation that is dropped leaves no trace and gives its chunk back") {
  for (int i = 0; i < 1000; ++i) {
    Reservation reservation = cache->Reserve(user.worker(), {.key = "k", .value_bytes = 1'000'000});
    REQUIRE(reservation);
    std::memset(reservation.Value().data(), 'x', reservation.Value().size());
  }
  CHECK_FALSE(user.Has("k"));
  CHECK(cache->Stats().page_bytes == kPageBytes);
}

TEST_CASE_METHOD(OneUser, "a group of keys is answered like the single ones, in order") {
  user.Set("a", "1");
  user.Set("c", "3");
  const std::array<std::string_view, 4> keys{"a", "b", "c", "a"};
  std::array<Hit, 4> hits;
  cache->GetGroup(user.worker(), keys, hits);
  CHECK(hits[0].value == "1");
  CHECK_FALSE(hits[1]);
  CHECK(hits[2].value == "3");
  CHECK(hits[3].value == "1");
  CHECK(cache->Stats().sum.get_hits == 3);
  CHECK(cache->Stats().get_misses == 1);
}

// --- CAS -----------------------------------------------------------------------------------------

TEST_CASE_METHOD(OneUser, "the first CAS id is 2, and every attempt to store takes one") {
  CHECK(user.TryStore("a", "1")->cas == 2);
  CHECK(user.TryStore("b", "1")->cas == 3);
  CHECK(user.Store(StoreMode::kAdd, "a", "x") == StoreStatus::kNotStored);                 // 4
  CHECK(user.Store(StoreMode::kReplace, "c", "x") == StoreStatus::kNotStored);             // 5
  CHECK(user.Store(StoreMode::kAppend, "c", "x") == StoreStatus::kNotStored);              // 6
  CHECK(user.TryStore("a", "x", StoreMode::kCas, 0, 99)->status == StoreStatus::kExists);  // 7
  CHECK(user.Store(StoreMode::kAppend, "a", "x") == StoreStatus::kStored);                 // 8
  CHECK(user.CasOf("a") == 8);
  user.Set("n", "1");
  CHECK(user.Add("n", 1).cas == 10);
  CHECK(user.CasOf("n") == 10);
}

TEST_CASE_METHOD(OneUser, "cas stores only over the version that was read") {
  user.Set("k", "1");
  const uint64_t seen = user.CasOf("k");
  CHECK(user.TryStore("k", "2", StoreMode::kCas, 0, seen)->status == StoreStatus::kStored);
  CHECK(user.TryStore("k", "3", StoreMode::kCas, 0, seen)->status == StoreStatus::kExists);
  CHECK(user.TryStore("x", "3", StoreMode::kCas, 0, seen)->status == StoreStatus::kNotFound);
  CHECK(user.TryStore("k", "3", StoreMode::kCas, 0, 0)->status == StoreStatus::kExists);
  CHECK(user.Get("k") == "2");
  const CacheStats stats = cache->Stats();
  CHECK(stats.sum.cas_hits == 1);
  CHECK(stats.sum.cas_badval == 2);
  CHECK(stats.cas_misses == 1);
}

TEST_CASE_METHOD(OneUser, "touch keeps the CAS id") {
  user.Set("k", "1");
  const uint64_t seen = user.CasOf("k");
  user.Touch("k", In(5));
  CHECK(user.CasOf("k") == seen);
}

TEST_CASE_METHOD(OneUserWithoutCas, "without CAS ids all are 0 and cas never stores") {
  user.Set("k", "1");
  CHECK(user.CasOf("k") == 0);
  CHECK(user.TryStore("k", "2", StoreMode::kCas, 0, 0)->status == StoreStatus::kExists);
  CHECK(user.TryStore("x", "2", StoreMode::kCas, 0, 0)->status == StoreStatus::kNotFound);
  user.Set("n", "7");
  CHECK(user.Add("n", 1).cas == 0);
  CHECK(user.Get("n") == "8");
}

// --- removing ------------------------------------------------------------------------------------

TEST_CASE_METHOD(OneUser, "removal with a CAS id removes that version only") {
  user.Set("k", "1");
  const uint64_t seen = user.CasOf("k");
  CHECK(user.Remove("k", seen + 1) == RemoveStatus::kExists);
  CHECK(user.Remove("k", seen) == RemoveStatus::kRemoved);
  CHECK(user.Remove("k") == RemoveStatus::kNotFound);
  CHECK(cache->Stats().sum.delete_hits == 1);
  CHECK(cache->Stats().delete_misses == 2);
}

TEST_CASE_METHOD(OneUser, "figures follow what is stored and removed at once") {
  for (int i = 0; i < 10; ++i) user.Set(Numbered("k", static_cast<uint64_t>(i)), "0123456789");
  CHECK(cache->Stats().sum.item_count == 10);
  CHECK(cache->Stats().total_items == 10);
  const uint64_t bytes = cache->Stats().item_bytes;
  CHECK(bytes == 10 * (sizeof(uint64_t) + 16 + 2 + 10));
  user.Remove("k0");
  user.Set("k1", "0123456789");
  CHECK(cache->Stats().sum.item_count == 9);
  CHECK(cache->Stats().item_bytes == bytes / 10 * 9);
  CHECK(cache->Stats().total_items == 11);
}

// --- numbers -------------------------------------------------------------------------------------

TEST_CASE_METHOD(OneUser, "incr wraps at 2^64 and decr stops at 0") {
  user.Set("n", "18446744073709551615");
  CHECK(user.Add("n", 2).number == 1);
  CHECK(user.Subtract("n", 5).number == 0);
  CHECK(user.Add("n", 1).status == ArithmeticStatus::kDone);
}

TEST_CASE_METHOD(OneUser, "a number never gets shorter: it is padded with spaces") {
  user.Set("n", "10");
  CHECK(user.Subtract("n", 1).number == 9);
  CHECK(user.Get("n") == "9 ");
  CHECK(user.Add("n", 91).number == 100);
  CHECK(user.Get("n") == "100");
}

TEST_CASE_METHOD(OneUser, "what is no number is refused and stays") {
  user.Set("s", "abc");
  CHECK(user.Add("s", 1).status == ArithmeticStatus::kNonNumeric);
  CHECK(user.Get("s") == "abc");
  CHECK(user.Add("absent", 1).status == ArithmeticStatus::kNotFound);
  CHECK(cache->Stats().incr_misses == 1);
}

TEST_CASE_METHOD(OneUser, "arithmetic keeps flags and expiry") {
  user.TryStore("n", "5", StoreMode::kSet, In(9), 0, 77);
  user.Add("n", 1);
  const Hit hit = cache->Get(user.worker(), "n");
  CHECK(hit.client_flags == 77);
  CHECK(hit.expires_s == In(9));
}

// --- expiry --------------------------------------------------------------------------------------

TEST_CASE_METHOD(OneUser, "an item expires at its second and counts as absent from then on") {
  user.Set("k", "1", In(2));
  Tick();
  CHECK(user.Has("k"));
  Tick();
  CHECK_FALSE(user.Has("k"));
  CHECK(cache->Stats().get_expired == 1);
  CHECK(cache->Stats().sum.item_count == 0);
}

TEST_CASE_METHOD(OneUser, "an item stored as already expired is stored, and missed") {
  CHECK(user.Set("k", "1", kAlreadyExpired) == StoreStatus::kStored);
  CHECK_FALSE(user.Has("k"));
}

TEST_CASE_METHOD(OneUser, "touch and get-and-touch move the expiry") {
  user.Set("k", "1", In(1));
  CHECK(user.Touch("k", In(3)));
  Tick(2);
  const Hit hit = cache->GetAndTouch(user.worker(), "k", In(5));
  CHECK(hit.value == "1");
  Tick(4);
  CHECK(user.Has("k"));
  Tick();
  CHECK_FALSE(user.Has("k"));
  CHECK_FALSE(user.Touch("k", In(3)));
  CHECK(cache->Stats().sum.touch_hits == 2);
  CHECK(cache->Stats().touch_misses == 1);
}

TEST_CASE_METHOD(OneUser,
                 "get-and-touch with an expiry in the past returns the value, then it is gone") {
  user.Set("k", "1");
  CHECK(cache->GetAndTouch(user.worker(), "k", kAlreadyExpired).value == "1");
  CHECK_FALSE(user.Has("k"));
}

// --- figures -------------------------------------------------------------------------------------

TEST_CASE_METHOD(OneUser, "reset zeroes counters and keeps what describes the present") {
  user.Set("k", "1");
  user.Get("k");
  user.Get("x");
  cache->ResetStats();
  const CacheStats stats = cache->Stats();
  CHECK(stats.sum.get_hits == 0);
  CHECK(stats.get_misses == 0);
  CHECK(stats.total_items == 0);
  CHECK(stats.sum.item_count == 1);
  CHECK(stats.item_bytes > 0);
  user.Get("k");
  CHECK(cache->Stats().sum.get_hits == 1);
}

TEST_CASE("two workers see each other's stores at once") {
  CacheFixture fixture;
  CacheUser writer(*fixture.cache);
  CacheUser reader(*fixture.cache);
  writer.Set("k", "1");
  CHECK(reader.Get("k") == "1");
  writer.Set("k", "2");
  CHECK(reader.Get("k") == "2");
  reader.Remove("k");
  CHECK_FALSE(writer.Has("k"));
}

TEST_CASE("a hit stays whole until its reader is quiescent, whatever others do") {
  CacheFixture fixture;
  CacheUser reader(*fixture.cache);
  CacheUser writer(*fixture.cache);
  writer.Set("k", "first value");
  const Hit hit = fixture.cache->Get(reader.worker(), "k");
  for (int i = 0; i < 1000; ++i) {
    writer.Set("k", "other value");
    writer.NextTurn();
  }
  CHECK(hit.value == "first value");
}

TEST_CASE("nonsense in the configuration is refused with a reason") {
  Clock clock(0);
  std::string error;
  CHECK(Cache::Create({.limit_bytes = kMiB}, clock, &error) == nullptr);
  CHECK_FALSE(error.empty());
  CHECK(Cache::Create({.growth_factor = 1.0}, clock, &error) == nullptr);
  CHECK(Cache::Create({.smallest_item_bytes = 0}, clock, &error) == nullptr);
  CHECK(Cache::Create({}, clock, &error) != nullptr);
}

}  // namespace
}  // namespace larder::slab
