// server/net/worker.h - one thread that serves its share of the connections.
//
// A turn of its loop: wait for events; for each, the connection receives, handles, sends; then
// those in line to resume get one go each. WorkerService hears of a turn at its first callback and
// after its last, so that what it holds on-line is off-line while the worker waits.
//
// Owner    owns its connections and its service. Both end on the worker's thread.
// Threads  Add and Stop from any thread; Counters may be read from any thread; the rest is private
//          to the worker's own.
// Errors   a client whose connection cannot be set up is disconnected.
// Not here accepting clients: acceptor.h; one client's bytes: connection.h
#pragma once

#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "server/net/connection.h"
#include "server/net/event_loop.h"
#include "server/os/log.h"

namespace larder::server {

class Worker final : public ConnectionHost {
 public:
  // Null when the system gives no event loop. `client_count` falls by one at each disconnection.
  [[nodiscard]] static std::unique_ptr<Worker> Create(uint32_t requests_per_turn_max,
                                                      std::unique_ptr<WorkerService> service,
                                                      ClientCount& client_count, Log& log);
  ~Worker();

  void Start();
  // Closes all connections, sent or not, and ends the thread.
  void Stop();
  // Hands over a client; `socket` is non-blocking.
  void Add(UniqueFd socket);

 private:
  Worker(uint32_t requests_per_turn_max, std::unique_ptr<WorkerService> service,
         ClientCount& client_count, Log& log)
      : ConnectionHost(requests_per_turn_max),
        service_(std::move(service)),
        client_count_(client_count),
        log_(log) {}

  [[nodiscard]] event_callback_fn EventCallback() const override;
  void ResumeSoon(Connection& connection) override { to_resume_.push_back(&connection); }

  void Run();
  void BeginTurn();
  void EndTurn();
  void ReadInbox();
  void Open(UniqueFd socket);
  void ResumeThoseInLine();
  void Close(Connection& connection);
  void CloseAll();

  std::unique_ptr<WorkerService> service_;
  ClientCount& client_count_;
  Log& log_;
  std::unique_ptr<EventLoop> loop_;
  std::thread thread_;

  std::mutex inbox_mutex_;
  std::vector<UniqueFd> arrivals_;  // guarded by inbox_mutex_
  bool stop_is_requested_ = false;  // guarded by inbox_mutex_

  std::vector<std::unique_ptr<Connection>> connections_;  // each knows its slot
  std::vector<Connection*> to_resume_;                    // null: closed while it was in line
  std::vector<Connection*> resuming_;  // the part of the line that this turn serves
  bool is_in_turn_ = false;
  bool is_stopping_ = false;
};

}  // namespace larder::server
