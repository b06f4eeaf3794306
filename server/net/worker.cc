#include "server/net/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace larder::server {

std::unique_ptr<Worker> Worker::Create(uint32_t requests_per_turn_max,
                                       std::unique_ptr<WorkerService> service,
                                       ClientCount& client_count, Log& log) {
  std::unique_ptr<Worker> worker(
      new Worker(requests_per_turn_max, std::move(service), client_count, log));
  worker->loop_ = EventLoop::Create([self = worker.get()] { self->ReadInbox(); });
  if (worker->loop_ == nullptr) return nullptr;
  return worker;
}

Worker::~Worker() { Stop(); }

void Worker::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Worker::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(inbox_mutex_);
    stop_is_requested_ = true;
  }
  loop_->Wake();
  thread_.join();
}

void Worker::Add(UniqueFd socket) {
  {
    const std::lock_guard lock(inbox_mutex_);
    arrivals_.push_back(std::move(socket));
  }
  loop_->Wake();
}

event_callback_fn Worker::EventCallback() const {
  return [](evutil_socket_t, short what, void* argument) {
    auto& connection = *static_cast<Connection*>(argument);
    auto& worker = static_cast<Worker&>(connection.Host());
    worker.BeginTurn();
    if (connection.OnEvent(what) == Connection::State::kClosed) worker.Close(connection);
  };
}

void Worker::Run() {
  while (!is_stopping_) {
    loop_->RunOnce(/*may_wait=*/to_resume_.empty());
    ResumeThoseInLine();
    EndTurn();
  }
  BeginTurn();  // what connections give back when they end, they give back within a turn
  CloseAll();
  EndTurn();
}

void Worker::BeginTurn() {
  if (is_in_turn_) return;
  is_in_turn_ = true;
  service_->OnTurnStart();
}

void Worker::EndTurn() {
  if (!is_in_turn_) return;
  is_in_turn_ = false;
  service_->OnTurnEnd();
}

void Worker::ReadInbox() {
  std::vector<UniqueFd> arrivals;
  {
    const std::lock_guard lock(inbox_mutex_);
    arrivals.swap(arrivals_);
    is_stopping_ = stop_is_requested_;
  }
  for (UniqueFd& socket : arrivals) Open(std::move(socket));
}

void Worker::Open(UniqueFd socket) {
  auto connection =
      std::make_unique<Connection>(*this, MakeSocketTransport(std::move(socket)), *service_);
  connection->SetSlot(connections_.size());
  connections_.push_back(std::move(connection));
  Connection& opened = *connections_.back();
  if (log_.Wants(kLogConnection)) {
    log_.Write(kLogConnection, fmt::format("<{} new client connection", opened.Fd()));
  }
  if (opened.Start(loop_->Base()) == Connection::State::kClosed) Close(opened);
}

// Those who come in line meanwhile wait for the next turn.
void Worker::ResumeThoseInLine() {
  if (to_resume_.empty()) return;
  resuming_.swap(to_resume_);
  BeginTurn();
  for (Connection* connection : resuming_) {
    if (connection == nullptr) continue;
    if (connection->Resume() == Connection::State::kClosed) Close(*connection);
  }
  resuming_.clear();
}

void Worker::Close(Connection& connection) {
  if (log_.Wants(kLogConnection)) {
    log_.Write(kLogConnection, fmt::format("<{} connection closed.", connection.Fd()));
  }
  Connection* const nobody = nullptr;
  std::replace(to_resume_.begin(), to_resume_.end(), &connection, nobody);
  const size_t slot = connection.Slot();
  std::swap(connections_[slot], connections_.back());
  connections_[slot]->SetSlot(slot);
  connections_.pop_back();
  client_count_.fetch_sub(1, std::memory_order_relaxed);  // a count; nothing hangs on its order
}

void Worker::CloseAll() {
  while (!connections_.empty()) Close(*connections_.back());
  const std::lock_guard lock(inbox_mutex_);
  client_count_.fetch_sub(arrivals_.size(), std::memory_order_relaxed);
  arrivals_.clear();
}

}  // namespace larder::server
