#include <catch2/catch.hpp>

#include "cache_fixture.h"

namespace larder::slab {
namespace {

TEST_CASE(
    "what was stored before a flush is gone, what is stored after it in the same second stays") {
  OneUser fixture;
  CacheUser& user = fixture.user;
  user.Set("before", "1");
  user.FlushNow();
  CHECK_FALSE(user.Has("before"));
  user.Set("after", "2");
  CHECK(user.Has("after"));
  CHECK(fixture.cache->Stats().get_flushed == 0);  // a small cache is swept at once
}

TEST_CASE(
    "a delayed flush leaves items alone until its second, then takes all of that second too") {
  OneUser fixture;
  CacheUser& user = fixture.user;
  user.Set("old", "1");
  fixture.cache->FlushAt(user.worker(), fixture.In(2));
  CHECK(user.Has("old"));
  fixture.Tick();
  CHECK(user.Has("old"));
  fixture.Tick();  // the second itself
  CHECK_FALSE(user.Has("old"));
  user.Set("same second", "2");
  CHECK_FALSE(user.Has("same second"));
  user.Set("same second, unread", "2");
  fixture.Tick();
  CHECK_FALSE(user.Has("same second, unread"));
  user.Set("next second", "3");
  CHECK(user.Has("next second"));
}

TEST_CASE("a flush at the present second takes what is stored in the rest of it") {
  OneUser fixture;
  CacheUser& user = fixture.user;
  user.Set("a", "1");
  fixture.cache->FlushAt(user.worker(), fixture.In(0));
  CHECK_FALSE(user.Has("a"));
  user.Set("b", "1");
  CHECK_FALSE(user.Has("b"));
  fixture.Tick();
  user.Set("c", "1");
  CHECK(user.Has("c"));
}

TEST_CASE("a later flush replaces a pending one, and a pending one can be cancelled") {
  OneUser fixture;
  CacheUser& user = fixture.user;
  user.Set("a", "1");
  fixture.cache->FlushAt(user.worker(), fixture.In(1));
  fixture.cache->CancelFlush(user.worker());
  fixture.Tick(3);
  CHECK(user.Has("a"));
  fixture.cache->FlushAt(user.worker(), fixture.In(1));
  fixture.cache->FlushAt(user.worker(), fixture.In(50));
  fixture.Tick(3);
  CHECK(user.Has("a"));
  user.FlushNow();
  user.Set("b", "1");
  fixture.Tick(60);  // the pending one was forgotten
  CHECK(user.Has("b"));
}

TEST_CASE("a flush whose second is past acts at once") {
  OneUser fixture;
  CacheUser& user = fixture.user;
  fixture.Tick(10);
  user.Set("a", "1");
  fixture.cache->FlushAt(user.worker(), fixture.In(0) - 5);
  CHECK_FALSE(user.Has("a"));
  user.Set("b", "1");
  CHECK(user.Has("b"));
}

TEST_CASE("nothing comes back when a flush that acts already is replaced or cancelled") {
  OneUser fixture;
  CacheUser& user = fixture.user;
  user.Set("a", "1");
  fixture.cache->FlushAt(user.worker(), fixture.In(0));
  fixture.cache->FlushAt(user.worker(), fixture.In(50));
  CHECK_FALSE(user.Has("a"));
  user.Set("b", "1");
  fixture.cache->FlushAt(user.worker(), fixture.In(0));
  fixture.cache->CancelFlush(user.worker());
  CHECK_FALSE(user.Has("b"));
}

TEST_CASE("flushed items count as absent for every kind of store") {
  OneUser fixture;
  CacheUser& user = fixture.user;
  for (const char* key : {"add", "replace", "append", "incr", "delete", "touch"}) {
    user.Set(key, "1");
  }
  user.FlushNow();
  CHECK(user.Store(StoreMode::kAdd, "add", "2") == StoreStatus::kStored);
  CHECK(user.Store(StoreMode::kReplace, "replace", "2") == StoreStatus::kNotStored);
  CHECK(user.Store(StoreMode::kAppend, "append", "2") == StoreStatus::kNotStored);
  CHECK(user.Add("incr", 1).status == ArithmeticStatus::kNotFound);
  CHECK(user.Remove("delete") == RemoveStatus::kNotFound);
  CHECK_FALSE(user.Touch("touch", 0));
}

TEST_CASE("no item comes back after the flush generations have wrapped") {
  OneUser fixture;
  CacheUser& user = fixture.user;
  user.Set("ancient", "1");
  for (uint32_t i = 0; i < 65'536; ++i) user.FlushNow();
  CHECK_FALSE(user.Has("ancient"));
  user.Set("new", "2");
  CHECK(user.Has("new"));
}

TEST_CASE_METHOD(OneUser, "what was flushed is freed though nobody asks for it") {
  for (uint64_t i = 0; i < 100'000; ++i) {
    user.Set(Numbered("key", i), "v");
    if (i % 1'000 == 0) user.NextTurn();
  }
  user.FlushNow();
  user.Set("later", "v");
  CHECK(cache->Stats().sum.item_count > 1);  // more than are swept at once
  for (int i = 0; i < 1'000 && cache->Stats().sum.item_count > 1; ++i) Maintain();
  CHECK(cache->Stats().sum.item_count == 1);
  CHECK(cache->Stats().get_flushed == 0);
  CHECK(user.Has("later"));
}

}  // namespace
}  // namespace larder::slab
