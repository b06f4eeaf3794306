#include "server/net/event_loop.h"

#include <sys/eventfd.h>

#include <cstdint>
#include <utility>

namespace larder::server {

std::unique_ptr<EventLoop> EventLoop::Create(std::function<void()> on_wake) {
  std::unique_ptr<EventLoop> loop(new EventLoop(std::move(on_wake)));
  loop->wake_fd_ = UniqueFd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!loop->wake_fd_) return nullptr;

  const std::unique_ptr<event_config, decltype(&event_config_free)> config(event_config_new(),
                                                                           &event_config_free);
  if (config == nullptr) return nullptr;
  // Only the loop's own thread touches the base; Wake goes through the eventfd.
  event_config_set_flag(config.get(), EVENT_BASE_FLAG_NOLOCK);
  loop->base_.reset(event_base_new_with_config(config.get()));
  if (loop->base_ == nullptr) return nullptr;

  const auto callback = [](evutil_socket_t, short, void* self) {
    static_cast<EventLoop*>(self)->OnWakeEvent();
  };
  loop->wake_event_.reset(event_new(loop->base_.get(), loop->wake_fd_.Get(), EV_READ | EV_PERSIST,
                                    callback, loop.get()));
  if (loop->wake_event_ == nullptr || event_add(loop->wake_event_.get(), nullptr) != 0) {
    return nullptr;
  }
  return loop;
}

void EventLoop::Wake() { eventfd_write(wake_fd_.Get(), 1); }

void EventLoop::OnWakeEvent() {
  eventfd_t count = 0;
  eventfd_read(wake_fd_.Get(), &count);
  on_wake_();
}

void EventLoop::RunOnce(bool may_wait) {
  event_base_loop(base_.get(), may_wait ? EVLOOP_ONCE : EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

}  // namespace larder::server
