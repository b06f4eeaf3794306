// server/ticker.h - keeps the server's time: a thread that calls `tick` several times a second with
// the second that it is now, and how many tenths of it are over.
//
// Units    seconds on the cache's scale: the moment of construction lies in `first_second`. Seconds
//          begin where the wall clock's do, so that an absolute expiry falls on its very second,
//          and advance with the monotonic clock, so that setting the wall clock disturbs nothing.
// Threads  `tick` runs on the ticker's own thread only.
// Not here what is due at a tick: server.cc
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace larder::server {

class Ticker {
 public:
  using Tick = std::function<void(uint32_t now_s, uint32_t tenths)>;
  using Monotonic = std::chrono::steady_clock::time_point;
  using WallTime = std::chrono::system_clock::time_point;

  static constexpr std::chrono::milliseconds kPeriod{100};

  explicit Ticker(uint32_t first_second)
      : Ticker(first_second, std::chrono::steady_clock::now(), std::chrono::system_clock::now()) {}
  // The same moment on both clocks.
  Ticker(uint32_t first_second, Monotonic start, WallTime wall_start);
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;
  ~Ticker() { Stop(); }

  // Unix time of the second that is `first_second`.
  [[nodiscard]] int64_t StartUnixSeconds() const { return start_unix_s_; }
  [[nodiscard]] uint32_t SecondAt(Monotonic moment) const;
  [[nodiscard]] uint32_t TenthsAt(Monotonic moment) const;

  void Start(Tick tick);
  void Stop();

 private:
  void Run(const Tick& tick);

  const uint32_t first_second_;
  const int64_t start_unix_s_;
  const Monotonic origin_;  // when first_second_ began
  std::mutex mutex_;
  std::condition_variable stop_signal_;
  bool is_stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace larder::server
