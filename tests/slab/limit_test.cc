// The limit at run time, pages moved by hand, chunk sizes asked for, and events.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "cache_fixture.h"
#include "slab/event_sink.h"

namespace larder::slab {
namespace {

class SmallCache : public OneUser {
 public:
  explicit SmallCache(const CacheConfig& config = {.limit_bytes = 8 * kMiB}) : OneUser(config) {}

  void Fill(std::string_view prefix, uint64_t count, size_t value_bytes) {
    for (uint64_t i = 0; i < count; ++i) {
      REQUIRE(user.Set(Numbered(prefix, i), std::string(value_bytes, 'v')) == StoreStatus::kStored);
      if (i % 100 == 0) user.NextTurn();
    }
  }
  uint64_t UsedBytes() const { return cache->Stats().used_bytes; }
  uint32_t ClassOf(std::string_view key) {
    return cache->DetailsOf(cache->Peek(user.worker(), key)).class_id;
  }
  uint64_t PagesOf(uint32_t class_id) { return cache->Stats().classes[class_id - 1].page_count; }
  MovePageStatus Move(uint32_t donor, uint32_t receiver) {
    return cache->MovePage(user.worker(), static_cast<int32_t>(donor),
                           static_cast<int32_t>(receiver));
  }
};

class SmallCacheWithoutRebalancing : public SmallCache {
 public:
  SmallCacheWithoutRebalancing() : SmallCache({.limit_bytes = 64 * kMiB, .rebalance = false}) {}
};

// --- the limit -----------------------------------------------------------------------------------

TEST_CASE_METHOD(SmallCache, "a raised limit is used, a lowered one is reached and kept") {
  Fill("a", 200, 100'000);
  CHECK(UsedBytes() <= 8 * kMiB);
  REQUIRE(cache->SetLimit(40 * kMiB));
  CHECK(cache->Stats().limit_bytes == 40 * kMiB);
  Fill("b", 300, 100'000);
  CHECK(UsedBytes() > 25 * kMiB);
  REQUIRE(cache->SetLimit(4 * kMiB));
  for (int i = 0; i < 20 && UsedBytes() > 4 * kMiB; ++i) Maintain();
  CHECK(UsedBytes() <= 4 * kMiB);
  Fill("c", 100, 100'000);
  CHECK(UsedBytes() <= 4 * kMiB);
}

TEST_CASE_METHOD(SmallCache, "a limit out of bounds is refused") {
  CHECK_FALSE(cache->SetLimit(kMiB));
  CHECK_FALSE(cache->SetLimit(uint64_t{1} << 50));
  CHECK(cache->Stats().limit_bytes == 8 * kMiB);
}

TEST_CASE_METHOD(SmallCache, "a limit that the index alone would fill is refused") {
  REQUIRE(cache->SetLimit(128 * kMiB));
  Fill("a", 700'000, 1);
  const uint64_t index_bytes = cache->Stats().index_bytes + cache->Stats().ghost_bytes;
  REQUIRE(index_bytes > 4 * kMiB);
  CHECK_FALSE(cache->SetLimit(index_bytes + kMiB));
  REQUIRE(cache->SetLimit(index_bytes + 3 * kMiB));
  for (int i = 0; i < 200 && UsedBytes() > index_bytes + 3 * kMiB; ++i) Maintain();
  CHECK(UsedBytes() <= index_bytes + 3 * kMiB);
  CHECK(user.Set("still", "stored") == StoreStatus::kStored);
}

// --- pages by hand -------------------------------------------------------------------------------

TEST_CASE_METHOD(SmallCacheWithoutRebalancing,
                 "a page is moved from class to class and to the pool") {
  Fill("small", 40'000, 100);
  Fill("large", 2, 5'000);
  const uint32_t from = ClassOf("small0");
  const uint32_t to = ClassOf("large0");
  const uint64_t pages = PagesOf(from);
  REQUIRE(pages > 2);
  CHECK(Move(from, to) == MovePageStatus::kMoved);
  CHECK(PagesOf(from) == pages - 1);
  CHECK(PagesOf(to) == 2);
  const uint64_t pool = cache->Stats().page_pool_count;
  CHECK(Move(from, 0) == MovePageStatus::kMoved);
  CHECK(cache->Stats().page_pool_count == pool + 1);
  CHECK(Move(0, to) == MovePageStatus::kMoved);
  CHECK(PagesOf(to) == 3);
  CHECK(cache->MovePage(user.worker(), -1, 0) == MovePageStatus::kMoved);
  CHECK(cache->Stats().pages_moved == 3);
}

TEST_CASE_METHOD(SmallCacheWithoutRebalancing, "a move that makes no sense is refused by name") {
  Fill("small", 100, 100);
  const uint32_t only = ClassOf("small0");
  const auto last = static_cast<uint32_t>(cache->Stats().classes.size());
  CHECK(Move(only, only) == MovePageStatus::kSameClass);
  CHECK(Move(last + 1, only) == MovePageStatus::kNoSuchClass);
  CHECK(Move(only, last + 1) == MovePageStatus::kNoSuchClass);
  CHECK(Move(only, last) == MovePageStatus::kNoSparePage);  // its only page
  CHECK(cache->MovePage(user.worker(), -1, static_cast<int32_t>(only)) ==
        MovePageStatus::kNoSuchClass);
}

// --- chunk sizes ---------------------------------------------------------------------------------

TEST_CASE("chunk sizes that were asked for are taken as they are") {
  OneUser fixture(CacheConfig{.chunk_sizes = {100, 200, 5'000}});
  const CacheStats stats = fixture.cache->Stats();
  REQUIRE(stats.classes.size() == 5);
  CHECK(stats.classes[0].chunk_bytes == 104);
  CHECK(stats.classes[1].chunk_bytes == 200);
  CHECK(stats.classes[2].chunk_bytes == 5'000);
  CHECK(stats.classes[3].chunk_bytes == 64 * 1024);  // what is larger has no chunk size
  CHECK(fixture.user.Set("k", std::string(300, 'v')) == StoreStatus::kStored);
}

// --- events --------------------------------------------------------------------------------------

class Recorder final : public EventSink {
 public:
  void OnFetch(const FetchEvent& event) override {
    fetches.push_back(std::string(event.key) + ":" +
                      std::to_string(static_cast<int>(event.result)));
    origin = event.origin;
  }
  void OnEviction(const EvictionEvent& event) override { evicted.emplace_back(event.key); }
  void OnPageMove(const PageMoveEvent& event) override { moves.push_back(event); }

  std::vector<std::string> fetches;
  std::vector<std::string> evicted;
  std::vector<PageMoveEvent> moves;
  int32_t origin = 0;
};

TEST_CASE("fetches are told to those who want them, with their result and origin") {
  Recorder recorder;
  OneUser fixture(CacheConfig{.events = &recorder});
  CacheUser& user = fixture.user;
  user.Set("k", "v", fixture.In(1));
  CHECK(recorder.fetches.empty());
  recorder.Want(EventSink::kFetches);
  fixture.cache->SetOrigin(user.worker(), 31);
  user.Has("k");
  user.Has("none");
  fixture.Tick(2);
  user.Has("k");
  user.Set("k", "v");
  fixture.cache->FlushAt(user.worker(), fixture.In(0));  // and so for the rest of this second
  user.Has("k");
  user.Remove("k");
  const std::vector<std::string> expected{"k:1", "none:0", "k:3", "k:0", "k:2", "k:0"};
  CHECK(recorder.fetches == expected);
  CHECK(recorder.origin == 31);
}

TEST_CASE("evictions and page moves are told") {
  Recorder recorder;
  recorder.Want(EventSink::kEvictions | EventSink::kPageMoves);
  SmallCache fixture(CacheConfig{.limit_bytes = 4 * kMiB, .events = &recorder});
  fixture.Fill("a", 60'000, 100);
  CHECK(recorder.evicted.size() == fixture.cache->Stats().sum.evicted);
  CHECK_FALSE(recorder.evicted.empty());
  const uint32_t from = fixture.ClassOf(Numbered("a", 59'999));
  REQUIRE(fixture.Move(from, 0) == MovePageStatus::kMoved);
  REQUIRE_FALSE(recorder.moves.empty());
  CHECK(recorder.moves.back().donor == from);
  CHECK(recorder.moves.back().receiver == 0);
}

}  // namespace
}  // namespace larder::slab
