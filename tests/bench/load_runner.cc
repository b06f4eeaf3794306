#include "tests/bench/load_runner.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace larder::bench {
namespace {

// Large enough to take a batch's replies in one read where the socket holds that much, small
// enough to stay in the core's own cache.
constexpr size_t kBufferBytes = 256 * 1024;
constexpr int kEventsMax = 64;
// A server that says nothing for so long has failed.
constexpr uint64_t kSilenceNsMax = 10'000'000'000;
constexpr uint64_t kNsPerSecond = 1'000'000'000;

timespec ToTimespec(uint64_t ns) {
  return {static_cast<time_t>(ns / kNsPerSecond), static_cast<long>(ns % kNsPerSecond)};
}

}  // namespace

struct LoadRunner::Totals {
  uint64_t reply_count = 0;
  uint64_t hit_count = 0;
  uint64_t miss_count = 0;
  uint64_t sent_bytes = 0;
  uint64_t received_bytes = 0;
};

LoadRunner::LoadRunner(const LoadOptions& options, const Dataset& dataset)
    : options_(options), dataset_(dataset), buffer_(kBufferBytes), random_(options.seed) {}

LoadRunner::~LoadRunner() {
  if (epoll_ >= 0) close(epoll_);
}

std::string LoadRunner::Connect() {
  // So that what is due is sent in time: else the system may be 50 us late with every wake-up.
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return fmt::format("epoll_create1: {}", std::strerror(errno));
  for (uint64_t i = 0; i < options_.connections; ++i) {
    auto connection = std::make_unique<LoadConnection>(dataset_, i);
    if (!connection->Connect(static_cast<uint16_t>(options_.port))) return connection->Complaint();
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = connection.get();
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection->Socket(), &event) != 0) {
      return fmt::format("epoll_ctl: {}", std::strerror(errno));
    }
    connections_.push_back(std::move(connection));
  }
  return {};
}

PhaseResult LoadRunner::Run(const Phase& phase) {
  PhaseResult result;
  const Totals before = Sum();
  const uint64_t started_ns = NowNs();
  requests_left_ = phase.request_count;
  last_send_ns_ = phase.seconds_max == 0 ? 0 : started_ns + phase.seconds_max * kNsPerSecond;
  next_in_order_ = 0;
  busy_count_ = 0;
  schedule_.reset();
  batch_counts_.assign(connections_.size(), 0);
  if (phase.rate != 0) {
    schedule_.emplace(phase.rate, phase.pipeline, connections_.size(), started_ns);
  }
  bool good = true;
  for (const auto& connection : connections_) {
    good = good && Continue(*connection, phase);
    if (!good && result.complaint.empty()) result.complaint = connection->Complaint();
  }
  while (good && (busy_count_ > 0 || !waiting_.empty())) {
    good = StartThoseDue(phase, result) && Turn(phase, result);
  }

  const Totals after = Sum();
  result.elapsed_ns = NowNs() - started_ns;
  result.request_count = after.reply_count - before.reply_count;
  result.hit_count = after.hit_count - before.hit_count;
  result.miss_count = after.miss_count - before.miss_count;
  result.sent_bytes = after.sent_bytes - before.sent_bytes;
  result.received_bytes = after.received_bytes - before.received_bytes;
  return result;
}

bool LoadRunner::Turn(const Phase& phase, PhaseResult& result) {
  std::array<epoll_event, kEventsMax> events;
  const timespec patience = ToTimespec(WaitNsMax());
  const int count = epoll_pwait2(epoll_, events.data(), kEventsMax, &patience, nullptr);
  if (count < 0 && errno == EINTR) return true;
  if (count == 0 && !waiting_.empty()) return true;
  if (count == 0 && busy_count_ == 0) return true;
  if (count <= 0) {
    result.complaint = count == 0 ? fmt::format("no answer for {} s", kSilenceNsMax / kNsPerSecond)
                                  : fmt::format("epoll_pwait2: {}", std::strerror(errno));
    return false;
  }
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    auto& connection = *static_cast<LoadConnection*>(event.data.ptr);
    if (!Serve(connection, event.events, phase, result)) {
      result.complaint = connection.Complaint();
      return false;
    }
  }
  return true;
}

bool LoadRunner::Serve(LoadConnection& connection, uint32_t events, const Phase& phase,
                       PhaseResult& result) {
  using Status = LoadConnection::Status;
  if ((events & EPOLLOUT) != 0) {
    if (connection.OnWritable() == Status::kFailed) return false;
    if (!connection.WantsWrite()) UpdateInterest(connection);
  }
  if ((events & ~static_cast<uint32_t>(EPOLLOUT)) == 0) return true;
  const Status status = connection.OnReadable(buffer_, result.latencies);
  if (status != Status::kBatchDone) return status != Status::kFailed;
  --busy_count_;
  return Continue(connection, phase);
}

bool LoadRunner::Continue(LoadConnection& connection, const Phase& phase) {
  if (!schedule_.has_value()) return StartBatch(connection, phase, 0);
  const uint64_t due_ns = schedule_->DueNs(connection.Index(), batch_counts_[connection.Index()]++);
  if (due_ns <= NowNs()) return StartBatch(connection, phase, due_ns);
  waiting_.push({due_ns, &connection});
  return true;
}

bool LoadRunner::StartThoseDue(const Phase& phase, PhaseResult& result) {
  while (!waiting_.empty() && (waiting_.top().first <= NowNs() || requests_left_ == 0)) {
    const auto [due_ns, connection] = waiting_.top();
    waiting_.pop();
    if (StartBatch(*connection, phase, due_ns)) continue;
    result.complaint = connection->Complaint();
    return false;
  }
  return true;
}

uint64_t LoadRunner::WaitNsMax() const {
  if (waiting_.empty()) return busy_count_ > 0 ? kSilenceNsMax : 0;
  const uint64_t now_ns = NowNs();
  const uint64_t due_ns = waiting_.top().first;
  return due_ns > now_ns ? std::min(due_ns - now_ns, kSilenceNsMax) : 0;
}

bool LoadRunner::StartBatch(LoadConnection& connection, const Phase& phase, uint64_t due_ns) {
  if (last_send_ns_ != 0 && NowNs() > last_send_ns_) requests_left_ = 0;
  if (requests_left_ == 0) return true;
  const LoadConnection::Status status = connection.StartBatch(
      phase.operation, NextKeyIds(phase, connection.TakeKeyIds()), phase.keys_per_request, due_ns);
  if (status == LoadConnection::Status::kFailed) return false;
  ++busy_count_;
  if (connection.WantsWrite()) UpdateInterest(connection);
  return true;
}

void LoadRunner::UpdateInterest(LoadConnection& connection) {
  epoll_event event{};
  event.events = EPOLLIN | (connection.WantsWrite() ? static_cast<uint32_t>(EPOLLOUT) : 0u);
  event.data.ptr = &connection;
  // Cannot fail: the socket is in the set, and nothing is allocated for a change.
  epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.Socket(), &event);
}

std::vector<uint32_t> LoadRunner::NextKeyIds(const Phase& phase, std::vector<uint32_t>&& key_ids) {
  const uint64_t requests = std::min<uint64_t>(phase.pipeline, requests_left_);
  requests_left_ -= requests;
  key_ids.resize(requests * phase.keys_per_request);
  for (uint32_t& key_id : key_ids) {
    // The remainder favours low keys by less than one in 2^37.
    const uint64_t number = phase.in_order ? next_in_order_++ : random_();
    key_id = static_cast<uint32_t>(number % dataset_.KeyCount());
  }
  return std::move(key_ids);
}

LoadRunner::Totals LoadRunner::Sum() const {
  Totals totals;
  for (const auto& connection : connections_) {
    const ReplyReader& replies = connection->Replies();
    totals.reply_count += replies.ReplyCount();
    totals.hit_count += replies.HitCount();
    totals.miss_count += replies.MissCount();
    totals.sent_bytes += connection->SentBytesTotal();
    totals.received_bytes += connection->ReceivedBytes();
  }
  return totals;
}

}  // namespace larder::bench
