#include "server/net/front_end.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>

namespace larder::server {
namespace {

// With the last worker's answer the gathering is complete.
class Gathering {
 public:
  Gathering(std::vector<ConnectionFacts> facts, size_t missing_count, TakeConnectionFacts done)
      : done_(std::move(done)), missing_count_(missing_count), facts_(std::move(facts)) {}

  void Add(std::vector<ConnectionFacts> part) {
    std::vector<ConnectionFacts> all;
    {
      const std::lock_guard lock(mutex_);
      std::move(part.begin(), part.end(), std::back_inserter(facts_));
      if (--missing_count_ > 0) return;
      all.swap(facts_);
    }
    std::sort(all.begin(), all.end(),
              [](const auto& one, const auto& other) { return one.fd < other.fd; });
    done_(std::make_shared<const std::vector<ConnectionFacts>>(std::move(all)));
  }

 private:
  const TakeConnectionFacts done_;
  std::mutex mutex_;
  size_t missing_count_;                // guarded by mutex_
  std::vector<ConnectionFacts> facts_;  // guarded by mutex_
};

// Every worker has its part of what all connections may hold, and at least enough for one.
uint64_t PartOfBuffers(const FrontEndConfig& config) {
  constexpr uint64_t kPartBytesMin = 16 * 1024;
  if (config.buffer_bytes_max == 0) return 0;
  return std::max(kPartBytesMin, config.buffer_bytes_max / config.worker_count);
}

}  // namespace

uint64_t FrontEnd::FdCount(const FrontEndConfig& config) {
  constexpr uint64_t kFdsPerThread = 3;
  constexpr uint64_t kSpareFds = 32;
  // A name may stand for an address of each family.
  constexpr uint64_t kSocketsPerAddress = 2;
  const uint64_t thread_count = config.worker_count + 1;
  const uint64_t tcp_count = kSocketsPerAddress * config.tcp_addresses.size();
  const uint64_t udp_count = kSocketsPerAddress * config.udp_addresses.size() * config.worker_count;
  return config.clients_max + kFdsPerThread * thread_count + tcp_count + udp_count + kSpareFds;
}

std::unique_ptr<FrontEnd> FrontEnd::Create(const FrontEndConfig& config,
                                           const MakeService& make_service, Log& log,
                                           std::string* error) {
  std::unique_ptr<FrontEnd> front_end(new FrontEnd(config.worker_count));
  std::vector<ListenSocket> listeners;
  *error = front_end->OpenListeners(config, &listeners);
  if (!error->empty()) return nullptr;
  const auto deal = [self = front_end.get()](size_t worker, Arrival arrival) {
    self->workers_[worker]->Add(std::move(arrival));
  };
  const AcceptLimits limits{config.clients_max, config.maxconns_fast, config.backlog};
  front_end->acceptor_ =
      Acceptor::Create(std::move(listeners), limits, front_end->placement_, log, deal);
  if (front_end->acceptor_ == nullptr || !front_end->MakeWorkers(config, make_service, log)) {
    *error = "cannot set up the event loops of all threads";
    return nullptr;
  }
  *error = front_end->ServeUdp(config);
  if (!error->empty()) return nullptr;
  front_end->DescribeListeners();
  return front_end;
}

FrontEnd::~FrontEnd() { Stop(); }

// The text says what went wrong.
std::string FrontEnd::OpenListeners(const FrontEndConfig& config,
                                    std::vector<ListenSocket>* listeners) const {
  if (!config.unix_path.empty()) {
    ListenResult result =
        OpenUnixListener(config.unix_path, config.unix_mode, config.backlog, config.unix_protocols);
    if (!result.error.empty()) return std::move(result.error);
    *listeners = std::move(result.sockets);
  }
  ListenResult result = OpenTcpListeners(config.tcp_addresses, config.backlog);
  for (ListenSocket& socket : result.sockets) listeners->push_back(std::move(socket));
  return std::move(result.error);
}

bool FrontEnd::MakeWorkers(const FrontEndConfig& config, const MakeService& make_service,
                           Log& log) {
  ConnectionLimits limits;
  limits.requests_per_turn_max = config.requests_per_turn_max;
  limits.idle_timeout_s = config.idle_timeout_s;
  limits.stall_timeout_s = config.stall_timeout_s;
  limits.buffer_bytes_max = PartOfBuffers(config);
  for (uint32_t i = 0; i < config.worker_count; ++i) {
    auto worker =
        Worker::Create(limits, make_service(), placement_.CountOf(i), config.observer, log);
    if (worker == nullptr) return false;
    workers_.push_back(std::move(worker));
  }
  return true;
}

std::string FrontEnd::ServeUdp(const FrontEndConfig& config) {
  ListenResult result = OpenUdpSockets(config.udp_addresses, workers_.size());
  if (!result.error.empty()) return std::move(result.error);
  udp_socket_count_ = result.sockets.size();
  for (size_t i = 0; i < result.sockets.size(); ++i) {
    ListenSocket& socket = result.sockets[i];
    const size_t worker_index = i % workers_.size();
    if (worker_index == 0) udp_ports_.push_back({socket.family, socket.port});
    if (!workers_[worker_index]->Serve(std::move(socket))) return "cannot watch all UDP sockets";
  }
  return {};
}

void FrontEnd::DescribeListeners() {
  for (const ListenSocket& socket : acceptor_->Sockets()) {
    ConnectionFacts facts;
    facts.fd = socket.fd.Get();
    facts.state = ConnectionFacts::State::kListening;
    facts.address = DescribeOwnAddress(facts.fd, /*is_udp=*/false);
    listener_facts_.push_back(std::move(facts));
  }
}

void FrontEnd::Start(const std::function<void()>& on_worker_start) {
  for (const auto& worker : workers_) worker->Start(on_worker_start);
  acceptor_->Start();
}

void FrontEnd::Stop() {
  if (acceptor_ != nullptr) acceptor_->Stop();
  for (const auto& worker : workers_) worker->Stop();
}

// One look at all connections at a time; it serves everybody who asked before it began.
void FrontEnd::DescribeConnections(TakeConnectionFacts done) {
  {
    const std::lock_guard lock(askers_mutex_);
    askers_.push_back(std::move(done));
    if (is_gathering_) return;
    is_gathering_ = true;
  }
  Gather();
}

void FrontEnd::Gather() {
  std::vector<TakeConnectionFacts> served;
  {
    const std::lock_guard lock(askers_mutex_);
    served.swap(askers_);
    if (served.empty()) {
      is_gathering_ = false;
      return;
    }
  }
  std::vector<ConnectionFacts> listeners = listener_facts_;
  const auto age = std::chrono::steady_clock::now() - start_;
  for (ConnectionFacts& facts : listeners) {
    facts.seconds_since_last_command =
        static_cast<uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(age).count());
  }
  const auto done = [this, served = std::move(served)](const SharedConnectionFacts& facts) {
    for (const TakeConnectionFacts& take : served) take(facts);
    Gather();  // for those who asked meanwhile
  };
  const auto gathering = std::make_shared<Gathering>(std::move(listeners), workers_.size(), done);
  for (const auto& worker : workers_) {
    worker->Describe([gathering](auto part) { gathering->Add(std::move(part)); });
  }
}

FrontEndTotals FrontEnd::Totals() const {
  FrontEndTotals totals;
  const AcceptorCounters& accepting = acceptor_->Counters();
  totals.clients = placement_.Total();  // a figure of a moment
  totals.listeners = acceptor_->Sockets().size();
  totals.udp_sockets = udp_socket_count_;
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
    totals.idle_kicks += counters.idle_kicks.Get();
    totals.stall_kicks += counters.stall_kicks.Get();
    totals.input_refusals += counters.input_refusals.Get();
    totals.reply_refusals += counters.reply_refusals.Get();
    totals.held_input_count += counters.held_input.count.Get();
    totals.held_input_bytes += counters.held_input.bytes.Get();
    totals.held_replies_count += counters.held_replies.count.Get();
    totals.held_replies_bytes += counters.held_replies.bytes.Get();
  }
  return totals;
}

FrontEndTiming FrontEnd::Timing() const {
  FrontEndTiming timing;
  for (const auto& worker : workers_) {
    timing.requests.Merge(worker->Timing().Requests());
    timing.turns.Merge(worker->Timing().Turns());
  }
  return timing;
}

}  // namespace larder::server
