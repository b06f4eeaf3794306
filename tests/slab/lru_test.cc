#include "slab/lru.h"

#include <catch2/catch.hpp>

#include <vector>

#include "slab/page_arena.h"

namespace larder::slab {
namespace {

// Ten items on a page, not yet in any list.
class LruFixture {
 public:
  LruFixture() {
    for (size_t i = 0; i < 100; ++i) {
      items_.push_back(new (arena_.PageBegin(0) + i * 64) Item{});
      items_.back()->state = item_state::With(item_state::kIndexed, Holder::kListed);
    }
  }

 protected:
  Item* operator[](size_t i) { return items_[i]; }
  void LinkFirst(size_t count) {
    for (size_t i = 0; i < count; ++i) lru_.Link(items_[i]);
  }
  void Read(size_t i, int times = 1) {
    while (times-- > 0) items_[i]->SetAccess(items_[i]->Access().Touched(70));
  }
  Item* Evict() {
    Item* const victim = lru_.FindVictim([](const Item&) { return false; }).victim;
    if (victim != nullptr) lru_.Unlink(victim);
    return victim;
  }

  PageArena arena_{4 * kMiB};
  Lru lru_{arena_};
  std::vector<Item*> items_;
};

TEST_CASE_METHOD(LruFixture, "unread items leave in the order in which they came") {
  LinkFirst(10);
  for (size_t i = 0; i < 10; ++i) CHECK(Evict() == items_[i]);
  CHECK(Evict() == nullptr);
}

TEST_CASE_METHOD(LruFixture, "an item read while on probation is protected, and outlives others") {
  LinkFirst(10);
  Read(0);
  CHECK(Evict() == items_[1]);
  CHECK(lru_.ProtectedCount() == 1);
  CHECK((items_[0]->state & item_state::kProtected) != 0);
}

TEST_CASE_METHOD(LruFixture, "a scan of unread items does not touch the protected ones") {
  LinkFirst(50);
  for (size_t i = 0; i < 50; ++i) Read(i);
  // Once round: all but probation's share move to protected.
  for (size_t i = 50; i < 60; ++i) {
    lru_.Link(items_[i]);
    Item* const victim = Evict();
    REQUIRE(victim != nullptr);
  }
  const uint64_t protected_before = lru_.ProtectedCount();
  CHECK(protected_before >= 40);
  for (size_t i = 60; i < 100; ++i) {
    lru_.Link(items_[i]);
    Item* const victim = Evict();
    CHECK(victim >= items_[50]);  // one of the scan's
  }
  CHECK(lru_.ProtectedCount() >= protected_before);
}

TEST_CASE_METHOD(LruFixture, "a protected item loses one count each time round, then leaves") {
  LinkFirst(2);
  Read(0);
  Read(1);
  REQUIRE(Evict() != nullptr);  // both moved to protected with their count spent: the older goes
  CHECK(lru_.ProtectedCount() == 1);
  Read(1, 2);
  CHECK(Evict() == items_[1]);  // the only one left goes in the end
}

TEST_CASE_METHOD(LruFixture, "an item on its way out with somebody else is passed by") {
  LinkFirst(3);
  items_[0]->state = item_state::With(0, Holder::kListed);
  CHECK(Evict() == items_[1]);
  CHECK(Evict() == items_[2]);
  CHECK(lru_.FindVictim([](const Item&) { return false; }).victim == nullptr);
}

TEST_CASE_METHOD(LruFixture, "a dead item goes at once, however often it was read") {
  LinkFirst(3);
  Read(0, 3);
  const Item* const dead = items_[0];
  CHECK(lru_.FindVictim([dead](const Item& item) { return &item == dead; }).victim == dead);
}

TEST_CASE_METHOD(LruFixture, "looking for the dead moves nobody and finds those near the tails") {
  LinkFirst(5);
  Read(0);
  const Item* const dead = items_[3];
  const auto is_dead = [dead](const Item& item) { return &item == dead; };
  CHECK(lru_.FindDead(is_dead).victim == dead);
  CHECK(lru_.FindDead([](const Item&) { return false; }).victim == nullptr);
  CHECK(lru_.ProtectedCount() == 0);
}

TEST_CASE_METHOD(LruFixture, "items can be taken out of the middle") {
  LinkFirst(3);
  lru_.Unlink(items_[1]);
  CHECK(Evict() == items_[0]);
  CHECK(Evict() == items_[2]);
  CHECK(lru_.ProbationCount() == 0);
}

}  // namespace
}  // namespace larder::slab
