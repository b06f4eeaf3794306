#include "tests/bench/load_schedule.h"

#include <catch2/catch.hpp>

namespace larder::bench {
namespace {

TEST_CASE("One connection's batches are due at equal distances from the start on") {
  const LoadSchedule schedule(/*rate=*/1000, /*pipeline=*/1, /*connection_count=*/1, 7);
  CHECK(schedule.DueNs(0, 0) == 7);
  CHECK(schedule.DueNs(0, 1) == 1'000'007);
  CHECK(schedule.DueNs(0, 1000) == 1'000'000'007);
}

TEST_CASE("Connections take turns, so that no two are due at once") {
  const LoadSchedule schedule(1000, 1, 4, 0);
  CHECK(schedule.DueNs(1, 0) == 1'000'000);
  CHECK(schedule.DueNs(3, 0) == 3'000'000);
  CHECK(schedule.DueNs(0, 1) == 4'000'000);
}

TEST_CASE("The rate counts requests, not batches") {
  const LoadSchedule schedule(1000, 10, 2, 0);
  CHECK(schedule.DueNs(1, 0) == 10'000'000);
  CHECK(schedule.DueNs(0, 50) == 1'000'000'000);
}

TEST_CASE("A rate that does not divide a second is kept in the long run") {
  const LoadSchedule schedule(300'007, 1, 1, 0);
  CHECK(schedule.DueNs(0, 3'000'070'000) == 10'000'000'000'000);
}

}  // namespace
}  // namespace larder::bench
