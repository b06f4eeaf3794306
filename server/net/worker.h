// server/net/worker.h - one thread that serves its share of the connections.
//
// A turn of its loop: wait for events; for each, the connection receives, and one for which was
// received a little before handles and sends (look_ahead.h); then those in line to resume get one
// go each. WorkerService hears of a turn at its first callback and after its last, so that what it
// holds on-line is off-line while the worker waits.
//
// Idle and stalled connections are found by inspecting all of them, a stretch at a time, when the
// first of them may be due. So a request costs no more than storing the second it came in, and a
// connection has no timer of its own.
//
// Owner    owns its connections, its UDP sockets and its service. All end on the worker's thread.
// Threads  Add, Describe and Stop from any thread; Counters may be read from any thread; the rest
//          is private to the worker's own.
// Errors   a client whose connection cannot be set up is disconnected.
// Not here accepting clients: acceptor.h; one client's bytes: connection.h
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "server/net/arrival.h"
#include "server/net/connection.h"
#include "server/net/event_loop.h"
#include "server/net/listener.h"
#include "server/net/udp_endpoint.h"
#include "server/os/log.h"

namespace larder::server {

class Worker final : public ConnectionHost {
 public:
  // The facts of one worker's connections and UDP sockets, in no order.
  using TakeFacts = std::function<void(std::vector<ConnectionFacts>)>;

  // Null when the system gives no event loop. `client_count` falls by one at each disconnection.
  // `observer` may be null.
  [[nodiscard]] static std::unique_ptr<Worker> Create(const ConnectionLimits& limits,
                                                      std::unique_ptr<WorkerService> service,
                                                      ClientCount& client_count,
                                                      ConnectionObserver* observer, Log& log);
  ~Worker();

  // Before Start. False: no more events to be had.
  [[nodiscard]] bool Serve(ListenSocket udp_socket);
  // `on_start`, if any, is the first thing that the thread does.
  void Start(const std::function<void()>& on_start = {});
  // Closes all connections, sent or not, and ends the thread.
  void Stop();
  // Hands over a client.
  void Add(Arrival arrival);
  // Has `take` called on the worker's thread; never, if the worker stops first.
  void Describe(TakeFacts take);

 private:
  Worker(const ConnectionLimits& limits, std::unique_ptr<WorkerService> service,
         ClientCount& client_count, ConnectionObserver* observer, Log& log)
      : ConnectionHost(limits),
        service_(std::move(service)),
        client_count_(client_count),
        observer_(observer),
        log_(log),
        wake_line_(std::make_shared<WakeLine>([this] { loop_->Wake(); })) {}

  [[nodiscard]] event_callback_fn EventCallback() const override;
  void ResumeSoon(Connection& connection) override { to_resume_.push_back(&connection); }
  [[nodiscard]] std::shared_ptr<ConnectionWaker> MakeWaker(Connection& connection) override {
    return std::make_shared<ConnectionWaker>(wake_line_, connection);
  }
  void InspectBy(uint32_t due_s) override;

  [[nodiscard]] bool MakeTimer();
  void Run();
  void BeginTurn();
  void EndTurn();
  void HandleReceived();
  void ReadInbox();
  void Open(Arrival arrival);
  void CallThoseAwake();
  void DescribeStretch();
  [[nodiscard]] bool IsSomebodyInLine() const;
  void ResumeThoseInLine();
  void BeginInspection();
  void InspectStretch();
  void CloseIfDone(Connection& connection, Connection::State state);
  void Close(Connection& connection, CloseReason reason);
  void CloseAll();
  void LogOpened(const Connection& connection);
  [[nodiscard]] bool IsWatched() const { return observer_ != nullptr && observer_->IsWatched(); }

  std::unique_ptr<WorkerService> service_;
  ClientCount& client_count_;
  ConnectionObserver* const observer_;
  Log& log_;
  const std::shared_ptr<WakeLine> wake_line_;
  std::unique_ptr<EventLoop> loop_;
  std::thread thread_;

  std::mutex inbox_mutex_;
  std::deque<Arrival> arrivals_;    // guarded by inbox_mutex_
  std::vector<TakeFacts> askers_;   // guarded by inbox_mutex_
  bool stop_is_requested_ = false;  // guarded by inbox_mutex_

  std::vector<std::unique_ptr<UdpEndpoint>> udp_endpoints_;
  // Answers to Describe on their way.
  struct Description {
    TakeFacts take;
    std::vector<ConnectionFacts> facts;
    size_t missing_count;  // connections in the slots below this one are still to be described
  };
  std::deque<Description> descriptions_;
  std::vector<std::unique_ptr<Connection>> connections_;  // each knows its slot
  std::vector<Connection*> to_resume_;                    // null: closed while it was in line
  std::vector<Connection*> resuming_;  // the part of the line that this turn serves
  bool is_in_turn_ = false;
  bool is_stopping_ = false;

  EventPtr inspection_timer_;
  std::optional<uint32_t> inspection_due_s_;  // of the timer; none: it is not set
  std::optional<uint32_t> next_due_s_;        // the earliest found by the inspection under way
  size_t uninspected_count_ = 0;              // connections_ below this are still to be inspected
};

}  // namespace larder::server
