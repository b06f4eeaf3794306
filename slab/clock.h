// slab/clock.h - the second that every expiry decision of the cache is made against.
//
// Units    seconds and tenths of a second on the cache's own scale: second kFirstSecond is the
//          moment the process started. 32 bits of seconds last for 136 years of uptime. 0 never
//          occurs, so 0 can mean "never" in an expiry.
// Threads  NowSeconds() from any thread, without a lock; Set() from the one thread that keeps time.
// Not here what a client's exptime means: expiry.h. Who ticks: server/ticker.h, tests.
#pragma once

#include <atomic>
#include <cstdint>

namespace larder::slab {

class Clock {
 public:
  // memcached starts its own scale 62 seconds before the process; clients can see this in
  // relative expiry only as "an absolute time at or before the start is already past".
  static constexpr uint32_t kFirstSecond = 62;

  // `start_unix_s`: wall-clock time that kFirstSecond stands for.
  explicit Clock(int64_t start_unix_s) : start_unix_s_(start_unix_s) {}
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;

  [[nodiscard]] uint32_t NowSeconds() const {
    // Relaxed: a reader that sees the previous second for a moment longer is as right as one
    // that asked a moment earlier; nothing else is published through this value.
    return now_s_.load(std::memory_order_relaxed);
  }

  // For the ages of items, which in a small cache turn over in less than a second.
  [[nodiscard]] uint32_t NowTenths() const { return now_ds_.load(std::memory_order_relaxed); }

  void Set(uint32_t now_s, uint32_t tenths = 0) {
    now_ds_.store(now_s * 10 + tenths, std::memory_order_relaxed);
    now_s_.store(now_s, std::memory_order_relaxed);
  }

  [[nodiscard]] int64_t StartUnixSeconds() const { return start_unix_s_; }
  [[nodiscard]] int64_t ToUnixSeconds(uint32_t second) const {
    return start_unix_s_ + static_cast<int64_t>(second) - kFirstSecond;
  }

 private:
  std::atomic<uint32_t> now_s_{kFirstSecond};
  std::atomic<uint32_t> now_ds_{kFirstSecond * 10};  // wraps after 13 years
  const int64_t start_unix_s_;
};

}  // namespace larder::slab
