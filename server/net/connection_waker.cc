#include "server/net/connection_waker.h"

namespace larder::server {

void WakeLine::Join(std::shared_ptr<ConnectionWaker> waker) {
  const std::lock_guard lock(mutex_);
  if (!wake_loop_) return;
  waiting_.push_back(std::move(waker));
  // Others who are in line have woken the loop, and it has not come to Take yet.
  if (waiting_.size() == 1) wake_loop_();
}

WakeLine::Wakers WakeLine::Take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(waiting_, {});
}

void WakeLine::Close() {
  Wakers dropped;  // destroyed outside the lock
  const std::lock_guard lock(mutex_);
  wake_loop_ = nullptr;
  dropped.swap(waiting_);
}

void ConnectionWaker::Wake() {
  // Both exchanges are acquire and release, each the other's pair: the worker's, which clears the
  // flag, sees all that was published before any that had set it.
  if (is_in_line_.exchange(true, std::memory_order_acq_rel)) return;
  line_->Join(shared_from_this());
}

Connection* ConnectionWaker::LeaveLine() {
  is_in_line_.exchange(false, std::memory_order_acq_rel);
  return connection_;
}

}  // namespace larder::server
