#include "tests/bench/key_sequence.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <vector>

namespace larder::bench {
namespace {

constexpr int kDrawCount = 1 << 20;

// How often each item was asked for.
std::vector<int> Draw(const KeySequence& sequence, uint32_t item_count) {
  std::vector<int> counts(item_count);
  KeySequence::Cursor cursor(sequence, 0, 1);
  for (int i = 0; i < kDrawCount; ++i) ++counts.at(cursor.Next());
  return counts;
}

TEST_CASE("A uniform sequence asks for every item about equally often") {
  const std::vector<int> counts = Draw(KeySequence::Uniform(100), 100);
  for (const int count : counts) CHECK(count == Approx(kDrawCount / 100.0).epsilon(0.05));
}

TEST_CASE("A Zipf sequence asks for the item of rank r as often as r to the power says") {
  const uint32_t item_count = 1000;
  std::vector<int> counts = Draw(KeySequence::Zipf(item_count, 0.99), item_count);
  std::sort(counts.begin(), counts.end(), std::greater<>());
  double weight_sum = 0;
  for (uint32_t rank = 1; rank <= item_count; ++rank) weight_sum += std::pow(rank, -0.99);
  for (const uint32_t rank : {1u, 2u, 10u}) {
    const double wanted = kDrawCount * std::pow(rank, -0.99) / weight_sum;
    CHECK(counts[rank - 1] == Approx(wanted).epsilon(0.03));
  }
  CHECK(counts.back() > 0);
}

TEST_CASE("The popular items of a Zipf sequence are not neighbours") {
  const std::vector<int> counts = Draw(KeySequence::Zipf(1000, 0.99), 1000);
  std::multimap<int, int, std::greater<>> by_count;
  for (int item = 0; item < 1000; ++item) by_count.emplace(counts[static_cast<size_t>(item)], item);
  const int most_popular = by_count.begin()->second;
  const int second = std::next(by_count.begin())->second;
  CHECK(std::abs(most_popular - second) > 1);
}

TEST_CASE("Two threads do not start at the same place") {
  const KeySequence sequence = KeySequence::Uniform(1'000'000);
  KeySequence::Cursor first(sequence, 0, 2);
  KeySequence::Cursor second(sequence, 1, 2);
  std::vector<uint32_t> of_first, of_second;
  for (int i = 0; i < 8; ++i) {
    of_first.push_back(first.Next());
    of_second.push_back(second.Next());
  }
  CHECK(of_first != of_second);
}

}  // namespace
}  // namespace larder::bench
