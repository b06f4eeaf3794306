// server/net/connection_waker.h - how any thread has a waiting connection called again.
//
// A WakeLine belongs to a worker; a ConnectionWaker to a connection of that worker and to all who
// work for it. Wake puts the waker in the line and the worker's loop awake; the worker empties the
// line and calls the connections. The wakers outlive both: one whose connection has ended leads
// nowhere, one whose worker has ended finds the line closed.
//
// No wake-up is lost, and at most one per connection is in line at a time:
//
//     producer   1. publish what it has (under its own lock, say)
//                2. is_in_line_: exchange(true); was it set already? then done
//                3. join the line, wake the loop
//     worker     4. leave the line, is_in_line_: exchange(false)
//                5. call the handler, which takes what is published
//
// A producer that stops at 2 found the flag as an earlier one had set it and 4 had not yet cleared
// it, so 4 comes after its 2 and 5 after its 1: what it published is taken. One that finds the flag
// cleared joins anew, and a further 5 follows. Handlers must therefore look for what is there
// whenever they are called, not count the calls.
//
// Owner    shared.
// Threads  Wake and Join from any; the rest on the worker's.
// Errors   none.
// Not here what a call does: connection.h
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "server/net/stream_handler.h"

namespace larder::server {

class Connection;
class ConnectionWaker;

class WakeLine {
 public:
  using Wakers = std::vector<std::shared_ptr<ConnectionWaker>>;

  // `wake_loop` is called with the line's lock held, and never after Close.
  explicit WakeLine(std::function<void()> wake_loop) : wake_loop_(std::move(wake_loop)) {}
  WakeLine(const WakeLine&) = delete;
  WakeLine& operator=(const WakeLine&) = delete;

  void Join(std::shared_ptr<ConnectionWaker> waker);
  // All that are in line; then it is empty.
  [[nodiscard]] Wakers Take();
  // The worker has ended: nobody may join any more.
  void Close();

 private:
  std::mutex mutex_;
  std::function<void()> wake_loop_;  // guarded by mutex_; empty: closed
  Wakers waiting_;                   // guarded by mutex_
};

class ConnectionWaker final : public Waker, public std::enable_shared_from_this<ConnectionWaker> {
 public:
  ConnectionWaker(std::shared_ptr<WakeLine> line, Connection& connection)
      : line_(std::move(line)), connection_(&connection) {}

  void Wake() override;

  // Step 4. Null: the connection has ended.
  [[nodiscard]] Connection* LeaveLine();
  // The connection ends.
  void Forget() { connection_ = nullptr; }

 private:
  const std::shared_ptr<WakeLine> line_;
  Connection* connection_;  // the worker's thread only
  std::atomic<bool> is_in_line_{false};
};

}  // namespace larder::server
