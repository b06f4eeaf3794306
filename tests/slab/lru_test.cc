#include "slab/lru.h"

#include <catch2/catch.hpp>

#include <array>
#include <set>
#include <vector>

#include "slab/cache_config.h"
#include "slab/page_arena.h"

namespace larder::slab {
namespace {

// A class of 1,024 chunks to a page, with one page unless more are asked for, and items whose hash
// part is their number.
class LruFixture {
 public:
  LruFixture() { AddPage(); }

 protected:
  static constexpr uint32_t kChunkBytes = 256;
  static constexpr uint32_t kClassId = 3;
  static constexpr uint32_t kPerPage = kPageBytes / kChunkBytes;

  void AddPage() {
    const auto page = static_cast<PageId>(pages_.size());
    pages_.push_back(page);
    arena_.Info(page).class_id = kClassId;
    for (uint32_t i = 0; i < kPerPage; ++i) {
      new (arena_.PageBegin(page) + size_t{i} * kChunkBytes) Item{};
    }
  }
  Item* At(uint32_t i) {
    return reinterpret_cast<Item*>(arena_.PageBegin(pages_[i / kPerPage]) +
                                   size_t{i % kPerPage} * kChunkBytes);
  }
  uint32_t NumberOf(const Item* item) {
    return static_cast<uint32_t>((reinterpret_cast<const char*>(item) - arena_.PageBegin(0)) /
                                 kChunkBytes);
  }
  void Store(uint32_t i) {
    At(i)->state = item_state::kIndexed;
    At(i)->SetAccess(AccessMark::Fresh(62, false));
    promoted_in_queue_ += lru_.Enter({arena_.HandleOf(At(i)), i}) ? 1U : 0U;
  }
  void StoreFirst(uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) Store(i);
  }
  void Read(uint32_t i) { At(i)->SetAccess(At(i)->Access().Touched(70)); }
  void Remove(uint32_t i) { At(i)->state = 0; }
  bool IsProtected(uint32_t i) { return (At(i)->state & item_state::kProtected) != 0; }
  Lru::Scan Find() {
    return lru_.FindVictim([this](const Item& item) { return NumberOf(&item); },
                           [this](const Item& item) { return dead_.contains(&item); },
                           pages_.size() * kPerPage);
  }
  // The victim's number; the item is removed. -1: there was none.
  int Evict() {
    Item* const victim = Find().victim;
    if (victim == nullptr) return -1;
    victim->state = 0;
    return static_cast<int>(NumberOf(victim));
  }

  PageArena arena_{8 * kMiB};
  std::vector<PageId> pages_;
  Lru lru_{arena_, pages_, kClassId, kChunkBytes};
  std::set<const Item*> dead_;
  uint32_t promoted_in_queue_ = 0;
};

TEST_CASE_METHOD(LruFixture, "unread items leave in the order in which they came") {
  for (uint32_t i = 10; i-- > 0;) Store(i);
  for (int i = 10; i-- > 0;) CHECK(Evict() == i);
  CHECK(Evict() == -1);
}

TEST_CASE_METHOD(LruFixture, "an item read while on probation is protected, and outlives others") {
  StoreFirst(100);
  Read(0);
  CHECK(Evict() == 1);
  CHECK(IsProtected(0));
  for (int i = 2; i < 30; ++i) CHECK(Evict() == i);
  CHECK((At(0)->state & item_state::kIndexed) != 0);
}

TEST_CASE_METHOD(LruFixture, "candidates are those on probation for longest, beyond its part") {
  StoreFirst(100);
  Remove(1);
  std::array<Lru::Candidate, 3> some;
  REQUIRE(lru_.TakeOldest(some, kPerPage) == 3);
  CHECK(some[0].item == At(0));
  CHECK(some[1].item == At(2));
  CHECK(some[2].item == At(3));
  CHECK(some[2].hash_part == 3);
  std::array<Lru::Candidate, 100> rest;
  CHECK(lru_.TakeOldest(rest, kPerPage) == 96 - kPerPage / 16);
  CHECK(lru_.TakeOldest(rest, kPerPage) == 0);
}

TEST_CASE_METHOD(LruFixture, "a candidate is judged by what it is by then") {
  StoreFirst(100);
  std::array<Lru::Candidate, 6> all;
  REQUIRE(lru_.TakeOldest(all, kPerPage) == 6);
  const auto judge = [this](const Lru::Candidate& candidate, uint32_t promoted_count = 0) {
    return Lru::Judge(
        candidate, [this](const Item& item) { return NumberOf(&item); },
        [this](const Item& item) { return dead_.contains(&item); }, promoted_count);
  };
  CHECK(judge(all[0]) == Lru::Verdict::kVictim);
  Read(1);
  CHECK(judge(all[1]) == Lru::Verdict::kPromoted);
  CHECK(IsProtected(1));
  Read(2);
  Remove(2);
  CHECK(judge(all[2]) == Lru::Verdict::kGone);
  CHECK_FALSE(IsProtected(2));
  Read(3);
  dead_.insert(At(3));
  CHECK(judge(all[3]) == Lru::Verdict::kVictim);
  Read(4);
  CHECK(judge(all[4], 1'000'000) == Lru::Verdict::kVictim);  // enough had another chance
  all[5].hash_part = 77;
  CHECK(judge(all[5]) == Lru::Verdict::kGone);
}

TEST_CASE_METHOD(LruFixture, "a scan of unread items does not touch the protected ones") {
  StoreFirst(900);
  for (uint32_t i = 0; i < 900; ++i) Read(i);
  for (uint32_t i = 900; i < 1000; ++i) {
    Store(i);
    Evict();
  }
  std::set<uint32_t> protected_before;
  for (uint32_t i = 0; i < 900; ++i) {
    if (IsProtected(i)) protected_before.insert(i);
  }
  REQUIRE(protected_before.size() > 700);
  for (int round = 0; round < 20; ++round) {
    for (uint32_t i = 1000; i < 1024; ++i) {
      if ((At(i)->state & item_state::kIndexed) != 0) continue;
      Store(i);
      const int victim = Evict();
      REQUIRE(victim >= 0);
      CHECK_FALSE(protected_before.contains(static_cast<uint32_t>(victim)));
    }
  }
}

TEST_CASE_METHOD(LruFixture, "the hand passes a protected item over once for having been read") {
  for (const uint32_t i : {5U, 7U}) {
    Store(i);
    At(i)->state |= item_state::kProtected;
  }
  Read(5);
  CHECK(Evict() == 7);
  CHECK_FALSE(At(5)->Access().WasRead());
  CHECK(Evict() == 5);
}

TEST_CASE_METHOD(LruFixture,
                 "where everything is read all the time something leaves all the same") {
  StoreFirst(1000);
  for (uint32_t i = 0; i < 1000; ++i) {
    At(i)->state |= item_state::kProtected;
    Read(i);
  }
  const Lru::Scan scan = Find();
  REQUIRE(scan.victim != nullptr);
  CHECK(scan.passed_count <= 64);
}

TEST_CASE_METHOD(LruFixture,
                 "an entry whose item is gone is passed by, also when its chunk has another") {
  StoreFirst(4);
  Remove(0);
  Remove(1);
  At(1)->state = item_state::kIndexed;  // in the index again, under another key
  At(1)->SetAccess(AccessMark::Fresh(62, false));
  lru_.Enter({arena_.HandleOf(At(1)), 1001});
  const auto hash_part = [this](const Item& item) {
    return NumberOf(&item) == 1 ? 1001 : NumberOf(&item);
  };
  const auto is_dead = [](const Item&) { return false; };
  CHECK(lru_.FindVictim(hash_part, is_dead, kPerPage).victim == At(2));
  CHECK(lru_.FindVictim(hash_part, is_dead, kPerPage).victim == At(3));
  CHECK(lru_.FindVictim(hash_part, is_dead, kPerPage).victim == At(1));
}

TEST_CASE_METHOD(LruFixture,
                 "entries of a page that has left are passed by, and the hand goes on") {
  AddPage();
  StoreFirst(10);
  Store(kPerPage + 1);
  lru_.ForgetPage(0);
  pages_.erase(pages_.begin());
  arena_.Info(0).class_id = kClassId + 1;
  CHECK(Find().victim == reinterpret_cast<Item*>(arena_.PageBegin(1) + kChunkBytes));
  CHECK(lru_.QueueLength() == 0);
}

TEST_CASE_METHOD(
    LruFixture, "while there is room for all the queue stays short, and the oldest are protected") {
  for (int i = 0; i < 3; ++i) AddPage();
  StoreFirst(4 * kPerPage);
  CHECK(lru_.QueueLength() < kPerPage / 2);
  CHECK(promoted_in_queue_ == 4 * kPerPage - lru_.QueueLength());
  CHECK(IsProtected(0));
  CHECK_FALSE(IsProtected(4 * kPerPage - 1));
}

TEST_CASE_METHOD(LruFixture,
                 "in a class of two chunks the older item leaves, wherever the hand is") {
  std::vector<PageId> pages{0};
  Lru lru(arena_, pages, kClassId, kPageBytes / 2);
  const uint32_t second = kPerPage / 2;
  const auto hash_part = [this](const Item& item) { return NumberOf(&item); };
  const auto is_dead = [](const Item&) { return false; };
  for (const uint32_t older : {0U, second, 0U, 0U}) {
    const uint32_t newer = second - older;
    for (const uint32_t i : {older, newer}) {
      At(i)->state = item_state::kIndexed;
      At(i)->SetAccess(AccessMark::Fresh(62, false));
      CHECK_FALSE(lru.Enter({arena_.HandleOf(At(i)), i}));
    }
    CHECK(lru.FindVictim(hash_part, is_dead, 2).victim == At(older));
    CHECK(lru.FindVictim(hash_part, is_dead, 2).victim == At(newer));
  }
}

TEST_CASE_METHOD(LruFixture, "a dead item goes at once, however often it was read") {
  StoreFirst(3);
  Read(0);
  dead_.insert(At(0));
  CHECK(Evict() == 0);
}

TEST_CASE_METHOD(LruFixture, "looking for the dead protects nobody and finds them in a few looks") {
  StoreFirst(5);
  Read(0);
  const Item* const dead = At(3);
  CHECK(lru_.FindDead([dead](const Item& item) { return &item == dead; }) == dead);
  CHECK(lru_.FindDead([](const Item&) { return false; }) == nullptr);
  for (uint32_t i = 0; i < 5; ++i) CHECK_FALSE(IsProtected(i));
}

TEST_CASE_METHOD(LruFixture,
                 "the ages shown are those of an old item on probation and of one near the hand") {
  StoreFirst(5);
  CHECK(lru_.OldestOnProbation() == At(0));
  CHECK(lru_.NextProtected() == nullptr);
  At(2)->state |= item_state::kProtected;
  CHECK(lru_.NextProtected() == At(2));
  CHECK(Lru::AgeOf(At(2), 95) == 3);
  CHECK(Lru::AgeOf(nullptr, 95) == 0);
}

}  // namespace
}  // namespace larder::slab
