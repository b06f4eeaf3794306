#include "server/os/background_thread.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

namespace larder::server {
namespace {

// A tenth of the weight of the others: where they keep all cores busy, this thread takes about a
// tenth of one from them. Not less: whoever waits for a lock that it holds waits for its next turn,
// too. The value is the thread's own on Linux, and advice; where it is not taken, nothing is lost.
void GiveWay() {
  constexpr int kNiceness = 10;
  const auto thread_id = static_cast<id_t>(::syscall(SYS_gettid));
  static_cast<void>(::setpriority(PRIO_PROCESS, thread_id, kNiceness));
}

}  // namespace

void BackgroundThread::Start(Step step) {
  step_ = std::move(step);
  is_stopping_ = false;
  thread_ = std::thread([this] { Run(); });
}

void BackgroundThread::Wake() {
  const std::lock_guard lock(mutex_);
  is_woken_ = true;
  signal_.notify_one();
}

void BackgroundThread::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    signal_.notify_one();
  }
  thread_.join();
}

void BackgroundThread::Run() {
  GiveWay();
  while (WaitFor(step_())) {
  }
}

// False: the thread is to end.
bool BackgroundThread::WaitFor(Wait wait) {
  std::unique_lock lock(mutex_);
  const auto is_called = [this] { return is_woken_ || is_stopping_; };
  if (wait == kUntilWoken) {
    signal_.wait(lock, is_called);
  } else if (wait > Wait::zero()) {
    signal_.wait_for(lock, wait, is_called);
  }
  is_woken_ = false;
  return !is_stopping_;
}

}  // namespace larder::server
