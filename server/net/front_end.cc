#include "server/net/front_end.h"

#include <fmt/format.h>

#include <utility>

namespace larder::server {
namespace {

ListenResult OpenListeners(const FrontEndConfig& config) {
  if (config.unix_path.empty()) return OpenTcpListeners(config.tcp_addresses, config.backlog);
  ListenResult result = OpenUnixListener(config.unix_path, config.unix_mode, config.backlog);
  if (result.error.empty() && !config.tcp_addresses.empty()) {
    ListenResult tcp = OpenTcpListeners(config.tcp_addresses, config.backlog);
    result.error = std::move(tcp.error);
    for (ListenSocket& socket : tcp.sockets) result.sockets.push_back(std::move(socket));
  }
  return result;
}

}  // namespace

std::unique_ptr<FrontEnd> FrontEnd::Create(const FrontEndConfig& config,
                                           const MakeService& make_service, Log& log,
                                           std::string* error) {
  ListenResult listeners = OpenListeners(config);
  if (!listeners.error.empty()) {
    *error = std::move(listeners.error);
    return nullptr;
  }
  std::unique_ptr<FrontEnd> front_end(new FrontEnd);
  for (uint32_t i = 0; i < config.worker_count; ++i) {
    auto worker =
        Worker::Create(config.requests_per_turn_max, make_service(), front_end->client_count_, log);
    if (worker == nullptr) break;
    front_end->workers_.push_back(std::move(worker));
  }
  const auto deal = [self = front_end.get()](UniqueFd socket) {
    self->DealRoundRobin(std::move(socket));
  };
  front_end->acceptor_ = Acceptor::Create(std::move(listeners.sockets), config.clients_max,
                                          front_end->client_count_, log, deal);
  if (front_end->workers_.size() < config.worker_count || front_end->acceptor_ == nullptr) {
    *error = "cannot set up the event loops of all threads";
    return nullptr;
  }
  return front_end;
}

FrontEnd::~FrontEnd() { Stop(); }

void FrontEnd::Start() {
  for (const auto& worker : workers_) worker->Start();
  acceptor_->Start();
}

void FrontEnd::Stop() {
  if (acceptor_ != nullptr) acceptor_->Stop();
  for (const auto& worker : workers_) worker->Stop();
}

void FrontEnd::DealRoundRobin(UniqueFd socket) {
  workers_[next_worker_]->Add(std::move(socket));
  next_worker_ = (next_worker_ + 1) % workers_.size();
}

FrontEndTotals FrontEnd::Totals() const {
  FrontEndTotals totals;
  const AcceptorCounters& accepting = acceptor_->Counters();
  totals.clients = client_count_.load(std::memory_order_relaxed);  // a figure of a moment
  totals.listeners = acceptor_->Sockets().size();
  totals.accepted = accepting.accepted.Get();
  totals.rejected = accepting.rejected.Get();
  totals.pauses = accepting.pauses.Get();
  totals.paused_us = accepting.paused_us.Get();
  totals.is_paused = accepting.is_paused.load(std::memory_order_relaxed);
  for (const auto& worker : workers_) {
    const WorkerCounters& counters = worker->Counters();
    totals.bytes_read += counters.bytes_read.Get();
    totals.bytes_written += counters.bytes_written.Get();
    totals.yields += counters.yields.Get();
    totals.held_input_count += counters.held_input.count.Get();
    totals.held_input_bytes += counters.held_input.bytes.Get();
    totals.held_replies_count += counters.held_replies.count.Get();
    totals.held_replies_bytes += counters.held_replies.bytes.Get();
  }
  return totals;
}

}  // namespace larder::server
