#include "server/os/background_thread.h"

#include <atomic>
#include <thread>

#include <catch2/catch.hpp>

namespace larder::server {
namespace {

void WaitUntil(const std::atomic<int>& count, int wanted) {
  while (count.load() < wanted) std::this_thread::yield();
}

TEST_CASE("a background thread steps on as long as its steps ask for it") {
  std::atomic<int> steps{0};
  BackgroundThread thread;
  thread.Start([&steps] {
    return ++steps < 3 ? BackgroundThread::Wait::zero() : BackgroundThread::kUntilWoken;
  });
  WaitUntil(steps, 3);
  thread.Stop();
  CHECK(steps.load() == 3);
}

TEST_CASE("waking cuts a wait short, and so does stopping") {
  std::atomic<int> steps{0};
  BackgroundThread thread;
  thread.Start([&steps] {
    ++steps;
    return steps.load() % 2 == 0 ? BackgroundThread::kUntilWoken
                                 : BackgroundThread::Wait(std::chrono::hours(1));
  });
  for (int i = 1; i <= 10; ++i) {
    WaitUntil(steps, i);
    thread.Wake();
  }
  WaitUntil(steps, 11);
  thread.Stop();
}

TEST_CASE("a wake during a step is not lost") {
  std::atomic<int> steps{0};
  BackgroundThread thread;
  thread.Start([&] {
    if (++steps == 1) thread.Wake();
    return BackgroundThread::kUntilWoken;
  });
  WaitUntil(steps, 2);
  thread.Stop();
  CHECK(steps.load() == 2);
}

TEST_CASE("a thread that was stopped can be started again") {
  std::atomic<int> steps{0};
  BackgroundThread thread;
  for (int round = 1; round <= 2; ++round) {
    thread.Start([&steps] {
      ++steps;
      return BackgroundThread::kUntilWoken;
    });
    WaitUntil(steps, round);
    thread.Stop();
  }
  CHECK(steps.load() == 2);
}

}  // namespace
}  // namespace larder::server
