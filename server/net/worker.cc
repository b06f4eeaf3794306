#include "server/net/worker.h"

#include <algorithm>
#include <utility>

namespace larder::server {
namespace {

// Connections inspected without a pause; between stretches events are served.
constexpr size_t kInspectedPerStretchMax = 512;

// Clients opened without a pause, some 0.3 ms: when thousands come at once, those who are connected
// get their turn in between.
constexpr size_t kOpenedPerTurnMax = 64;

std::string_view Named(CloseReason reason) {
  switch (reason) {
    case CloseReason::kNormal:
      return "normal";
    case CloseReason::kError:
      return "error";
    case CloseReason::kIdleTimeout:
      return "idle_timeout";
    case CloseReason::kShutdown:
      return "shutdown";
  }
  return {};
}

std::string_view Named(Binding protocols) {
  switch (protocols) {
    case Binding::kAuto:
      return "auto-negotiating";
    case Binding::kText:
      return "ascii";
    case Binding::kBinary:
      return "binary";
  }
  return {};
}

}  // namespace

std::unique_ptr<Worker> Worker::Create(const ConnectionLimits& limits,
                                       std::unique_ptr<WorkerService> service,
                                       ClientCount& client_count, ConnectionObserver* observer,
                                       Log& log) {
  std::unique_ptr<Worker> worker(
      new Worker(limits, std::move(service), client_count, observer, log));
  worker->loop_ = EventLoop::Create([self = worker.get()] { self->ReadInbox(); });
  if (worker->loop_ == nullptr || !worker->MakeTimer()) return nullptr;
  return worker;
}

Worker::~Worker() {
  Stop();
  wake_line_->Close();  // who still has a Waker must not come to a loop that is gone
}

bool Worker::MakeTimer() {
  const auto on_timer = [](evutil_socket_t, short, void* self) {
    static_cast<Worker*>(self)->InspectStretch();
  };
  inspection_timer_.reset(event_new(loop_->Base(), -1, 0, on_timer, this));
  return inspection_timer_ != nullptr;
}

bool Worker::Serve(ListenSocket udp_socket) {
  const auto on_readable = [](evutil_socket_t, short, void* argument) {
    auto& endpoint = *static_cast<UdpEndpoint*>(argument);
    auto& worker = static_cast<Worker&>(endpoint.Host());
    worker.BeginTurn();
    endpoint.Receive();
    worker.turn_clock_.Lap();
  };
  now_s_ = turn_clock_.Begin();
  udp_endpoints_.push_back(std::make_unique<UdpEndpoint>(*this, std::move(udp_socket), *service_));
  return udp_endpoints_.back()->Start(loop_->Base(), on_readable);
}

void Worker::Start(const std::function<void()>& on_start) {
  thread_ = std::thread([this, on_start] {
    if (on_start) on_start();
    Run();
  });
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

void Worker::Add(Arrival arrival) {
  bool is_first = false;
  {
    const std::lock_guard lock(inbox_mutex_);
    is_first = arrivals_.empty();
    arrivals_.push_back(std::move(arrival));
  }
  // While somebody is in the inbox the loop is awake, or about to be.
  if (is_first) loop_->Wake();
}

void Worker::Describe(TakeFacts take) {
  {
    const std::lock_guard lock(inbox_mutex_);
    askers_.push_back(std::move(take));
  }
  loop_->Wake();
}

event_callback_fn Worker::EventCallback() const {
  return [](evutil_socket_t, short what, void* argument) {
    auto& connection = *static_cast<Connection*>(argument);
    auto& worker = static_cast<Worker&>(connection.Host());
    worker.BeginTurn();
    const size_t received_count = worker.ahead_.Count();
    worker.CloseIfDone(connection, connection.OnEvent(what));
    if (worker.ahead_.IsFull()) return worker.HandleReceived();
    // One that was only received from has its lap when it is handled.
    if (worker.ahead_.Count() == received_count) worker.turn_clock_.Lap();
  };
}

// --- turns -------------------------------------------------------------------------------------

void Worker::Run() {
  while (!is_stopping_) {
    loop_->RunOnce(/*may_wait=*/!IsSomebodyInLine());
    HandleReceived();
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
  now_s_ = turn_clock_.Begin();
  service_->OnTurnStart();
}

void Worker::EndTurn() {
  if (!is_in_turn_) return;
  is_in_turn_ = false;
  service_->OnTurnEnd();
  turn_clock_.End();
}

void Worker::HandleReceived() {
  ahead_.TakeAll([this](Connection& connection, std::string_view input) {
    CloseIfDone(connection, connection.HandleReceived(input));
    turn_clock_.Lap();
  });
}

void Worker::ReadInbox() {
  std::vector<Arrival> arrivals;
  std::vector<TakeFacts> askers;
  bool are_more = false;
  {
    const std::lock_guard lock(inbox_mutex_);
    while (!arrivals_.empty() && arrivals.size() < kOpenedPerTurnMax) {
      arrivals.push_back(std::move(arrivals_.front()));
      arrivals_.pop_front();
    }
    are_more = !arrivals_.empty();
    askers.swap(askers_);
    is_stopping_ = stop_is_requested_;
  }
  if (are_more) loop_->Wake();  // for the next turn
  BeginTurn();
  for (Arrival& arrival : arrivals) Open(std::move(arrival));
  CallThoseAwake();
  for (TakeFacts& take : askers) {
    descriptions_.push_back({std::move(take), {}, connections_.size()});
  }
  turn_clock_.Lap();
}

void Worker::CallThoseAwake() {
  for (const std::shared_ptr<ConnectionWaker>& waker : wake_line_->Take()) {
    if (Connection* const connection = waker->LeaveLine()) connection->OnWake();
  }
}

// From the last slot down, a stretch at a turn: who is closed meanwhile leaves his slot to the
// last, who was described before.
void Worker::DescribeStretch() {
  constexpr size_t kConnectionsPerStretch = 256;
  Description& description = descriptions_.front();
  description.missing_count = std::min(description.missing_count, connections_.size());
  const size_t stretch = std::min(description.missing_count, kConnectionsPerStretch);
  for (size_t i = 0; i < stretch; ++i) {
    description.facts.push_back(connections_[--description.missing_count]->Describe());
  }
  if (description.missing_count > 0) return;
  for (const auto& endpoint : udp_endpoints_) description.facts.push_back(endpoint->Describe());
  const Description complete = std::move(description);
  descriptions_.pop_front();
  complete.take(complete.facts);
}

bool Worker::IsSomebodyInLine() const {
  const auto is_busy = [](const auto& endpoint) { return endpoint->IsBusy(); };
  return !to_resume_.empty() || !descriptions_.empty() ||
         std::any_of(udp_endpoints_.begin(), udp_endpoints_.end(), is_busy);
}

// Those who come in line meanwhile wait for the next turn.
void Worker::ResumeThoseInLine() {
  if (!IsSomebodyInLine()) return;
  resuming_.swap(to_resume_);
  BeginTurn();
  if (!descriptions_.empty()) DescribeStretch();
  for (const auto& endpoint : udp_endpoints_) {
    if (endpoint->IsBusy()) endpoint->Resume();
  }
  turn_clock_.Lap();
  for (Connection* connection : resuming_) {
    if (connection == nullptr) continue;
    CloseIfDone(*connection, connection->Resume());
    turn_clock_.Lap();
  }
  resuming_.clear();
}

// --- inspection --------------------------------------------------------------------------------

void Worker::InspectBy(uint32_t due_s) {
  if (uninspected_count_ > 0) {  // one is under way, and sets the timer when it is over
    next_due_s_ = std::min(due_s, next_due_s_.value_or(due_s));
    return;
  }
  if (inspection_due_s_.has_value() && *inspection_due_s_ <= due_s) return;
  inspection_due_s_ = due_s;
  const timeval delay{due_s > now_s_ ? due_s - now_s_ : 0, 0};
  event_add(inspection_timer_.get(), &delay);
}

// From the last slot down: who is closed leaves his slot to the last, who was inspected before.
void Worker::InspectStretch() {
  BeginTurn();
  if (uninspected_count_ == 0) {
    uninspected_count_ = connections_.size();
    next_due_s_.reset();
  }
  uninspected_count_ = std::min(uninspected_count_, connections_.size());
  const size_t stretch = std::min(uninspected_count_, kInspectedPerStretchMax);
  for (size_t i = 0; i < stretch; ++i) {
    Connection& connection = *connections_[--uninspected_count_];
    std::optional<uint32_t> due_s;
    CloseIfDone(connection, connection.Inspect(&due_s));
    if (due_s.has_value()) next_due_s_ = std::min(*due_s, next_due_s_.value_or(*due_s));
  }
  turn_clock_.Lap();
  if (uninspected_count_ > 0) {
    const timeval at_once{0, 0};
    event_add(inspection_timer_.get(), &at_once);
    return;
  }
  inspection_due_s_.reset();
  // Not every second for a few of thousands: those who are due a little later can be found
  // together.
  const uint32_t pause_s = 1 + std::min(limits_.idle_timeout_s, limits_.stall_timeout_s) / 8;
  if (next_due_s_.has_value()) InspectBy(std::max(*next_due_s_, now_s_ + pause_s));
}

// --- clients -----------------------------------------------------------------------------------

void Worker::Open(Arrival arrival) {
  auto connection = std::make_unique<Connection>(
      *this, MakeSocketTransport(std::move(arrival.socket), arrival.peer), arrival.protocols,
      *service_);
  connection->SetSlot(connections_.size());
  connections_.push_back(std::move(connection));
  Connection& opened = *connections_.back();
  if (log_.Wants(kLogConnection)) LogOpened(opened);
  if (IsWatched()) observer_->OnOpen(opened.Remote());
  CloseIfDone(opened, opened.Start(loop_->Base()));
}

void Worker::LogOpened(const Connection& connection) {
  const RemoteEnd remote = connection.Remote();
  const bool is_unix = remote.carrier == Carrier::kUnix;
  const std::string_view address = is_unix ? std::string_view("unix") : remote.address;
  log_.Write(kLogConnection, "client connected",
             {{"fd", remote.fd},
              {"protocol", Named(connection.Protocols())},
              {"address", address},
              {"port", remote.port}});
}

void Worker::CloseIfDone(Connection& connection, Connection::State state) {
  if (state == Connection::State::kClosed) Close(connection, connection.Reason());
}

void Worker::Close(Connection& connection, CloseReason reason) {
  log_.Write(kLogConnection, "connection closed",
             {{"fd", connection.Fd()}, {"reason", Named(reason)}});
  if (IsWatched()) observer_->OnClose(connection.Remote(), reason);
  Connection* const nobody = nullptr;
  std::replace(to_resume_.begin(), to_resume_.end(), &connection, nobody);
  ahead_.Forget(connection);
  const size_t slot = connection.Slot();
  std::swap(connections_[slot], connections_.back());
  connections_[slot]->SetSlot(slot);
  connections_.pop_back();
  client_count_.fetch_sub(1, std::memory_order_relaxed);  // a count; nothing hangs on its order
}

void Worker::CloseAll() {
  while (!connections_.empty()) Close(*connections_.back(), CloseReason::kShutdown);
  udp_endpoints_.clear();
  const std::lock_guard lock(inbox_mutex_);
  client_count_.fetch_sub(arrivals_.size(), std::memory_order_relaxed);
  arrivals_.clear();
}

}  // namespace larder::server
