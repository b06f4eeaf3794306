// server/os/background_thread.h - a thread for work that clients do not wait for: calls one step
// after the other, and waits between them for as long as the step says, or until somebody wakes it.
//
// Owner    owns the thread; what the step uses must live until Stop has returned.
// Threads  Start and Stop on the owner's thread, Wake on any. The step runs on this one only.
// Cost     the thread runs at a low priority, so that those who serve clients go first.
// Errors   Start throws std::system_error when there are no more threads to be had.
// Not here the once-a-second thread that moves the clock: server/ticker.h
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace larder::server {

class BackgroundThread {
 public:
  using Wait = std::chrono::microseconds;
  // There is nothing to do before the next Wake.
  static constexpr Wait kUntilWoken = Wait::max();
  using Step = std::function<Wait()>;

  BackgroundThread() = default;
  BackgroundThread(const BackgroundThread&) = delete;
  BackgroundThread& operator=(const BackgroundThread&) = delete;
  ~BackgroundThread() { Stop(); }

  void Start(Step step);
  // Cuts the present wait short, or else the next one.
  void Wake();
  // Returns after the last step. Start may be called again.
  void Stop();

 private:
  void Run();
  [[nodiscard]] bool WaitFor(Wait wait);

  Step step_;
  std::mutex mutex_;
  std::condition_variable signal_;
  bool is_woken_ = false;     // guarded by mutex_
  bool is_stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace larder::server
