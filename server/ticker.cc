#include "server/ticker.h"

namespace larder::server {

using std::chrono::duration_cast;
using std::chrono::floor;
using std::chrono::seconds;

Ticker::Ticker(uint32_t first_second, Monotonic start, WallTime wall_start)
    : first_second_(first_second),
      start_unix_s_(floor<seconds>(wall_start.time_since_epoch()).count()),
      origin_(start - duration_cast<Monotonic::duration>(wall_start - floor<seconds>(wall_start))) {
}

uint32_t Ticker::SecondAt(Monotonic moment) const {
  return first_second_ + static_cast<uint32_t>(floor<seconds>(moment - origin_).count());
}

uint32_t Ticker::TenthsAt(Monotonic moment) const {
  using Tenths = std::chrono::duration<int64_t, std::deci>;
  return static_cast<uint32_t>(floor<Tenths>(moment - origin_).count() % 10);
}

void Ticker::Start(Tick tick) {
  thread_ = std::thread([this, tick = std::move(tick)] { Run(tick); });
}

void Ticker::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  stop_signal_.notify_one();
  thread_.join();
}

void Ticker::Run(const Tick& tick) {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    lock.unlock();
    const Monotonic now = std::chrono::steady_clock::now();
    tick(SecondAt(now), TenthsAt(now));
    lock.lock();
    // Whole periods from the origin on: a tick falls on the beginning of each second.
    const Monotonic next = origin_ + ((now - origin_) / kPeriod + 1) * kPeriod;
    stop_signal_.wait_until(lock, next, [this] { return is_stopping_; });
  }
}

}  // namespace larder::server
