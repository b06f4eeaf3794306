#include "tests/bench/memory_chase.h"

#include <catch2/catch.hpp>
#include <vector>

namespace larder::bench {
namespace {

TEST_CASE("a walk through memory comes by every line before it comes back") {
  const MemoryChase chase(256 * 1024);
  REQUIRE(chase.LineCount() == 4096);
  std::vector<bool> seen(chase.LineCount());
  uint32_t line = 5;
  for (size_t step = 0; step < chase.LineCount(); ++step) {
    CHECK_FALSE(seen[line]);
    seen[line] = true;
    line = chase.Next(line);
  }
  CHECK(line == 5);
}

TEST_CASE("a step of a walk through memory seldom stays in the page") {
  constexpr uint32_t kLinesPerPage = 64;
  const MemoryChase chase(256 * 1024);
  size_t near_count = 0;
  for (uint32_t line = 0; line < chase.LineCount(); ++line) {
    near_count += chase.Next(line) / kLinesPerPage == line / kLinesPerPage ? 1 : 0;
  }
  CHECK(near_count < chase.LineCount() / 16);
}

}  // namespace
}  // namespace larder::bench
