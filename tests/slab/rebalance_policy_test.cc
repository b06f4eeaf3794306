#include "slab/rebalance_policy.h"

#include <catch2/catch.hpp>

#include <vector>

namespace larder::slab {
namespace {

ClassFigures Figures(uint32_t id, uint64_t pages, uint64_t free_chunks, uint32_t per_page) {
  return {.class_id = id,
          .page_count = pages,
          .free_chunk_count = free_chunks,
          .chunks_per_page = per_page};
}

TEST_CASE("nobody gives when nobody has a page") {
  const std::vector<ClassFigures> classes{Figures(1, 0, 0, 100), Figures(2, 0, 0, 50)};
  CHECK(PickDonor(classes, 2) == 0);
  CHECK(PickDonor({}, 0) == 0);
}

TEST_CASE("the receiver never gives to itself") {
  const std::vector<ClassFigures> classes{Figures(1, 9, 0, 100), Figures(2, 1, 0, 50)};
  CHECK(PickDonor(classes, 1) == 2);
  CHECK(PickDonor(classes, 0) == 1);
}

TEST_CASE("the class with the most pages gives") {
  const std::vector<ClassFigures> classes{Figures(1, 3, 0, 100), Figures(2, 8, 0, 50),
                                          Figures(3, 5, 0, 10)};
  CHECK(PickDonor(classes, 4) == 2);
}

TEST_CASE("a class with a page's worth of free chunks gives first") {
  const std::vector<ClassFigures> classes{Figures(1, 3, 100, 100), Figures(2, 8, 49, 50)};
  CHECK(PickDonor(classes, 4) == 1);
}

// --- PickMove ------------------------------------------------------------------------------------

ClassFigures Evicting(uint32_t id, uint64_t evicted_count, uint32_t evicted_age_s) {
  return {.class_id = id,
          .page_count = 10,
          .chunks_per_page = 100,
          .evicted_count = evicted_count,
          .tail_age_s = evicted_age_s,
          .evicted_age_s = evicted_age_s};
}

ClassFigures Idle(uint32_t id, uint32_t tail_age_s, uint64_t pages = 10) {
  return {.class_id = id, .page_count = pages, .chunks_per_page = 100, .tail_age_s = tail_age_s};
}

TEST_CASE("a steady state moves nothing") {
  CHECK_FALSE(PickMove({}));
  CHECK_FALSE(PickMove(std::vector{Idle(1, 500), Idle(2, 900)}));
  CHECK_FALSE(PickMove(std::vector{Evicting(1, 500, 10), Evicting(2, 700, 900)}));
  // A trickle of evictions is no shortage.
  CHECK_FALSE(PickMove(std::vector{Evicting(1, 10, 0), Idle(2, 900)}));
}

TEST_CASE("after a shift the class that evicts gets a page of the one that is idle") {
  const auto move = PickMove(std::vector{Evicting(1, 500, 3), Idle(2, 60), Idle(3, 30)});
  REQUIRE(move);
  CHECK(move->receiver == 1);
  CHECK(move->donor == 2);
}

TEST_CASE("the class that evicts the most pages' worth is served first") {
  CHECK(PickMove(std::vector{Evicting(1, 500, 3), Evicting(4, 900, 3), Idle(2, 60)})->receiver ==
        4);
}

TEST_CASE("no page moves for items that are as old as those it would save") {
  CHECK_FALSE(PickMove(std::vector{Evicting(1, 500, 30), Idle(2, 60)}));
  CHECK(PickMove(std::vector{Evicting(1, 500, 29), Idle(2, 60)}));
}

TEST_CASE("nobody gives the last page for a better hit ratio") {
  CHECK_FALSE(PickMove(std::vector{Evicting(1, 500, 3), Idle(2, 60, 1)}));
}

TEST_CASE("a page does not go straight back") {
  // The donor of a moment ago now evicts a little, the receiver is content.
  CHECK_FALSE(PickMove(std::vector{Idle(1, 4), Evicting(2, 30, 60)}));
}

}  // namespace
}  // namespace larder::slab
