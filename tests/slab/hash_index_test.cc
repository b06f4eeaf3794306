#include "slab/hash_index.h"

#include <catch2/catch.hpp>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "cache_fixture.h"
#include "slab/memory_budget.h"
#include "slab/page_arena.h"

namespace larder::slab {
namespace {

class IndexFixture {
 public:
  explicit IndexFixture(uint64_t limit_bytes = 64 * kMiB)
      : budget_(limit_bytes), arena_(64 * kMiB), index_(arena_, budget_, 7) {
    REQUIRE(index_.IsReady());
  }

 protected:
  static std::string Name(uint64_t number) { return Numbered("key", number); }

  Item* NewItem(std::string_view key) {
    Item* const item = new (arena_.PageBegin(0) + used_bytes_) Item{};
    item->Format({.key = key}, false);
    used_bytes_ += (Item::BytesFor(key.size(), 0, false, false) + 7) / 8 * 8;
    return item;
  }
  bool Insert(Item* item) {
    const uint64_t hash = index_.Hash(item->Key());
    const MutexLock lock(index_.StripeOf(hash));
    return index_.InsertLocked(hash, item);
  }
  void Erase(std::string_view key) {
    const uint64_t hash = index_.Hash(key);
    const MutexLock lock(index_.StripeOf(hash));
    const HashIndex::Slot slot = index_.FindLocked(hash, key);
    REQUIRE(slot);
    index_.EraseLocked(hash, slot);
  }
  Item* Find(std::string_view key) { return index_.Find(index_.Hash(key), key); }
  void GrowFully() {
    for (uint64_t hash = 0; hash < 2000; ++hash) index_.Grow(hash);
  }

  MemoryBudget budget_;
  PageArena arena_;
  HashIndex index_;
  size_t used_bytes_ = 0;
};

TEST_CASE_METHOD(IndexFixture, "a key is found after insertion and not after removal") {
  Item* const item = NewItem("alpha");
  CHECK(Find("alpha") == nullptr);
  REQUIRE(Insert(item));
  CHECK(Find("alpha") == item);
  CHECK(Find("alphb") == nullptr);
  Erase("alpha");
  CHECK(Find("alpha") == nullptr);
}

TEST_CASE_METHOD(IndexFixture, "swinging a slot changes the item and keeps the key") {
  Item* const first = NewItem("k");
  Item* const second = NewItem("k");
  REQUIRE(Insert(first));
  const uint64_t hash = index_.Hash("k");
  const MutexLock lock(index_.StripeOf(hash));
  index_.SwingLocked(index_.FindLocked(hash, "k"), second);
  CHECK(Find("k") == second);
  CHECK_FALSE(index_.FindLocked(hash, first));
}

TEST_CASE_METHOD(IndexFixture,
                 "every key stays findable while the index grows from 1k to 32k buckets") {
  constexpr uint64_t kKeys = 250'000;
  for (uint64_t i = 0; i < kKeys; ++i) {
    Item* const item = NewItem(Name(i));
    REQUIRE(Insert(item));
    const uint64_t hash = index_.Hash(item->Key());
    bool is_overloaded = false;
    {
      const MutexLock lock(index_.StripeOf(hash));
      is_overloaded = index_.IsOverloadedLocked(hash);
    }
    if (is_overloaded) index_.Grow(hash);
    // Some earlier keys at each step; all of them at the end.
    if (i % 97 == 0) REQUIRE(Find(Name(i / 3)) != nullptr);
  }
  for (uint64_t i = 0; i < kKeys; ++i) {
    Item* const item = Find(Name(i));
    REQUIRE(item != nullptr);
    REQUIRE(item->Key() == Name(i));
  }
  const double entries_per_bucket =
      static_cast<double>(kKeys) / static_cast<double>(index_.BucketCount());
  CHECK(entries_per_bucket > 6.5);
  CHECK(entries_per_bucket < 9.5);
  // The figure of the header: 10 bytes an item at most, overflow included.
  CHECK(static_cast<double>(index_.Bytes()) / static_cast<double>(kKeys) < 10.0);
}

TEST_CASE_METHOD(IndexFixture, "crowded buckets overflow, and shrink back when keys leave") {
  constexpr uint64_t kKeys = 40'000;  // 40 to a bucket without growth
  for (uint64_t i = 0; i < kKeys; ++i) REQUIRE(Insert(NewItem(Name(i))));
  CHECK(index_.OverflowCount() > 2000);
  for (uint64_t i = 0; i < kKeys; ++i) REQUIRE(Find(Name(i)) != nullptr);
  std::vector<uint64_t> order(kKeys);
  for (uint64_t i = 0; i < kKeys; ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), std::mt19937_64(3));
  for (uint64_t i = 0; i < kKeys; ++i) {
    Erase(Name(order[i]));
    if (i % 101 == 0 && i + 1 < kKeys) REQUIRE(Find(Name(order[i + 1])) != nullptr);
  }
  CHECK(index_.OverflowCount() == 0);
}

TEST_CASE_METHOD(IndexFixture, "a crowded index catches up when it is allowed to grow") {
  constexpr uint64_t kKeys = 40'000;
  for (uint64_t i = 0; i < kKeys; ++i) REQUIRE(Insert(NewItem(Name(i))));
  GrowFully();
  CHECK(index_.BucketCount() > 4000);
  for (uint64_t i = 0; i < kKeys; ++i) REQUIRE(Find(Name(i)) != nullptr);
  for (uint64_t i = 0; i < kKeys; i += 2) Erase(Name(i));
  for (uint64_t i = 0; i < kKeys; ++i) REQUIRE((Find(Name(i)) != nullptr) == (i % 2 == 1));
}

class PoorIndexFixture : public IndexFixture {
 public:
  PoorIndexFixture() : IndexFixture(64 * 1024) {}
};

TEST_CASE_METHOD(PoorIndexFixture,
                 "without memory for overflow a bucket can still take a new key") {
  uint64_t number = 0;
  Item* refused = nullptr;
  while (refused == nullptr && number < 20'000) {
    Item* const item = NewItem(Name(number++));
    if (!Insert(item)) refused = item;
  }
  REQUIRE(refused != nullptr);
  CHECK(index_.WantsMemory());
  const uint64_t hash = index_.Hash(refused->Key());
  std::string displaced_key;
  {
    const MutexLock lock(index_.StripeOf(hash));
    const HashIndex::Slot victim = index_.AnyInBucketLocked(hash);
    displaced_key = victim.item->Key();
    index_.DisplaceLocked(victim, hash, refused);
  }
  CHECK(Find(refused->Key()) == refused);
  CHECK(Find(displaced_key) == nullptr);
}

TEST_CASE_METHOD(PoorIndexFixture, "without memory the index does not grow and loses nothing") {
  std::vector<std::string> kept;
  for (uint64_t i = 0; i < 9000; ++i) {
    if (Insert(NewItem(Name(i)))) kept.push_back(Name(i));
  }
  const uint64_t buckets_before = index_.BucketCount();
  GrowFully();
  CHECK(index_.BucketCount() == buckets_before);
  for (const std::string& key : kept) REQUIRE(Find(key) != nullptr);
  CHECK(budget_.UsedBytes() <= budget_.LimitBytes());
}

}  // namespace
}  // namespace larder::slab
