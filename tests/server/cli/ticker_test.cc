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
  CHECK(ticker.TenthsAt(start) == 9);
  CHECK(ticker.TenthsAt(start + milliseconds(399)) == 2);
  CHECK(ticker.SecondAt(start + seconds(86'400)) == kFirst + 86'400);
}

TEST_CASE("a started ticker ticks several times a second, never backwards, until it is stopped") {
  std::atomic<int> tick_count{0};
  std::atomic<bool> went_backwards{false};
  uint32_t latest = kFirst * 10;
  Ticker ticker(kFirst);
  ticker.Start([&](uint32_t now_s, uint32_t tenths) {
    const uint32_t now_ds = now_s * 10 + tenths;
    if (now_ds < latest || tenths > 9) went_backwards = true;
    latest = now_ds;
    ++tick_count;
  });
  while (tick_count < 5) std::this_thread::sleep_for(milliseconds(5));
  ticker.Stop();
  const int count = tick_count;
  std::this_thread::sleep_for(3 * Ticker::kPeriod);
  CHECK(tick_count == count);
  CHECK_FALSE(went_backwards);
  CHECK(latest <= (kFirst + 60) * 10);
}

TEST_CASE("a ticker that never started can be stopped") {
  Ticker ticker(kFirst);
  ticker.Stop();
  CHECK(ticker.SecondAt(std::chrono::steady_clock::now()) >= kFirst);
}

}  // namespace
}  // namespace larder::server
