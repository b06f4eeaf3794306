// server/net/event_loop.h - one thread's libevent base, and the way to wake it from another.
//
// Owner    events added to Base() must be gone before the loop is.
// Threads  everything on the loop's own thread, but for Wake(), which any thread may call.
// Errors   Create returns null when the system has no more files to give.
#pragma once

#include <event2/event.h>

#include <functional>
#include <memory>

#include "server/os/unique_fd.h"

namespace larder::server {

struct EventFree {
  void operator()(event* handle) const { event_free(handle); }
};
using EventPtr = std::unique_ptr<event, EventFree>;

class EventLoop {
 public:
  // `on_wake` runs on the loop's thread, once or more after each Wake().
  [[nodiscard]] static std::unique_ptr<EventLoop> Create(std::function<void()> on_wake);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  [[nodiscard]] event_base* Base() const { return base_.get(); }
  void Wake();
  // Runs the callbacks of all events that are due; waits for the first one if `may_wait`.
  void RunOnce(bool may_wait);

 private:
  struct BaseFree {
    void operator()(event_base* base) const { event_base_free(base); }
  };
  explicit EventLoop(std::function<void()> on_wake) : on_wake_(std::move(on_wake)) {}
  void OnWakeEvent();

  std::function<void()> on_wake_;
  UniqueFd wake_fd_;
  std::unique_ptr<event_base, BaseFree> base_;
  EventPtr wake_event_;
};

}  // namespace larder::server
