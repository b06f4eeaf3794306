#include "tests/bench/item_text.h"

#include <catch2/catch.hpp>

namespace larder::bench {
namespace {

TEST_CASE("A set carries the key's own value at the size that was asked for") {
  const ItemText items;
  std::string out;
  items.AppendSet(out, "key", 6, 0, Answer::kWanted);
  CHECK(out == "set key 0 0 6\r\nkey!\"#\r\n");
  out.clear();
  items.AppendSet(out, "key", 2, 60, Answer::kWanted);
  CHECK(out == "set key 0 60 2\r\nke\r\n");
  out.clear();
  items.AppendSet(out, "key", 0, 0, Answer::kNoreply);
  CHECK(out == "set key 0 0 0 noreply\r\n\r\n");
}

TEST_CASE("A value is recognised at any size, and another key's or a shifted one is not") {
  const ItemText items;
  CHECK(items.IsValueOf("key", ""));
  CHECK(items.IsValueOf("key", "ke"));
  CHECK(items.IsValueOf("key", "key!\"#"));
  CHECK_FALSE(items.IsValueOf("key", "kay!\"#"));
  CHECK_FALSE(items.IsValueOf("key", "kez"));
  CHECK_FALSE(items.IsValueOf("key", "key\"#$"));
  CHECK_FALSE(items.IsValueOf("key", "key!\"$"));
}

}  // namespace
}  // namespace larder::bench
