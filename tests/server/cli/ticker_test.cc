#include "server/ticker.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

namespace larder::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uint32_t kFirst = 62;

TEST_CASE("seconds begin where the wall clock's do") {
  const Ticker::Monotonic start(seconds(5000));
  const Ticker ticker(kFirst, start, Ticker::WallTime(seconds(1'700'000'000) + milliseconds(900)));
  CHECK(ticker.StartUnixSeconds() == 1'700'000'000);
  CHECK(ticker.SecondAt(start) == kFirst);
  CHECK(ticker.SecondAt(start + milliseconds(99)) == kFirst);
  CHECK(ticker.SecondAt(start + milliseconds(100)) == kFirst + 1);
  CHECK(ticker.SecondAt(start + milliseconds(1100)) == kFirst + 2);
  CHECK(ticker.SecondAt(start + seconds(86'400)) == kFirst + 86'400);
}

TEST_CASE("a started ticker ticks several times a second, never backwards, until it is stopped") {
  std::atomic<int> tick_count{0};
  std::atomic<bool> went_backwards{false};
  uint32_t latest = kFirst;
  Ticker ticker(kFirst);
  ticker.Start([&](uint32_t now_s) {
    if (now_s < latest) went_backwards = true;
    latest = now_s;
    ++tick_count;
  });
  while (tick_count < 5) std::this_thread::sleep_for(milliseconds(5));
  ticker.Stop();
  const int count = tick_count;
  std::this_thread::sleep_for(3 * Ticker::kPeriod);
  CHECK(tick_count == count);
  CHECK_FALSE(went_backwards);
  CHECK(latest <= kFirst + 60);
}

TEST_CASE("a ticker that never started can be stopped") {
  Ticker ticker(kFirst);
  ticker.Stop();
  CHECK(ticker.SecondAt(std::chrono::steady_clock::now()) >= kFirst);
}

}  // namespace
}  // namespace larder::server
