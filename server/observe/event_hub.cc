#include "server/observe/event_hub.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <span>
#include <thread>
#include <utility>

namespace larder::server {
namespace {

constexpr std::chrono::microseconds kPauseMin{1'000};
constexpr std::chrono::microseconds kPauseMax{64'000};

// Lanes beyond one for each worker: for the clock's thread, the crawler, the acceptor, and because
// threads find their lane by hash.
constexpr uint32_t kSpareLanes = 4;

// No lane is read for longer than this at a time, so that none fills up while another is read.
constexpr uint32_t kRecordsPerLaneMax = 4096;

int64_t NowUnixMicroseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

template <typename Enum>
uint8_t Code(Enum value) {
  return static_cast<uint8_t>(value);
}

void AddOne(std::atomic<uint64_t>& count) { count.fetch_add(1, std::memory_order_relaxed); }

}  // namespace

EventHub::EventHub(const EventHubConfig& config) : config_(config) {
  for (uint32_t i = 0; i < config.thread_count + kSpareLanes; ++i) {
    lanes_.push_back(std::make_unique<Lane>(config.lane_bytes));
  }
}

void EventHub::Start() {
  thread_.Start([this] { return Step(); });
}

// --- telling -------------------------------------------------------------------------------------

EventHub::Lane* EventHub::TakeLane() {
  const size_t own = std::hash<std::thread::id>()(std::this_thread::get_id());
  for (size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = *lanes_[(own + i) % lanes_.size()];
    // Acquire: invariant 1; pairs with the release in Put.
    if (!lane.is_taken.test_and_set(std::memory_order_acquire)) return &lane;
  }
  return nullptr;
}

void EventHub::Put(EventRecord& record, std::string_view key) {
  Lane* const lane = TakeLane();
  if (lane == nullptr) return AddOne(dropped_);
  record.id = last_event_id_.fetch_add(1, std::memory_order_relaxed) + 1;
  record.unix_us = NowUnixMicroseconds();
  record.key_bytes = static_cast<uint8_t>(std::min<size_t>(key.size(), UINT8_MAX));
  const std::string_view head(reinterpret_cast<const char*>(&record), sizeof(record));
  const bool fitted = lane->records.Write(head, key.substr(0, record.key_bytes));
  lane->is_taken.clear(std::memory_order_release);  // invariant 1
  AddOne(fitted ? written_ : dropped_);
}

void EventHub::Tell(const StoreTold& event) {
  EventRecord record;
  record.kind = EventKind::kStore;
  record.status = Code(event.status);
  record.command = Code(event.command);
  record.ttl_s = event.ttl_s;
  record.class_id = event.class_id;
  record.value_bytes = event.value_bytes;
  record.origin = event.origin;
  Put(record, event.key);
}

void EventHub::Tell(const DeletionTold& event) {
  EventRecord record;
  record.kind = EventKind::kDeletion;
  record.command = Code(event.command);
  record.class_id = event.class_id;
  record.value_bytes = event.value_bytes;
  Put(record, event.key);
}

void EventHub::OnFetch(const slab::FetchEvent& event) {
  EventRecord record;
  record.kind = EventKind::kFetch;
  record.status = Code(event.result);
  record.class_id = event.class_id;
  record.value_bytes = event.value_bytes;
  record.origin = event.origin;
  Put(record, event.key);
}

void EventHub::OnEviction(const slab::EvictionEvent& event) {
  EventRecord record;
  record.kind = EventKind::kEviction;
  record.status = event.was_fetched ? 1 : 0;
  record.ttl_s = event.ttl_s;
  record.idle_s = event.idle_s;
  record.class_id = event.class_id;
  record.value_bytes = event.value_bytes;
  Put(record, event.key);
}

void EventHub::OnPageMove(const slab::PageMoveEvent& event) {
  EventRecord record;
  record.kind = EventKind::kPageMove;
  record.class_id = event.donor;
  record.value_bytes = event.receiver;
  Put(record, {});
}

void EventHub::OnOpen(const RemoteEnd& remote) {
  EventRecord record;
  record.kind = EventKind::kConnectionNew;
  PutConnection(record, remote);
}

void EventHub::OnClose(const RemoteEnd& remote, CloseReason reason) {
  EventRecord record;
  record.kind = EventKind::kConnectionClosed;
  record.status = Code(reason);
  PutConnection(record, remote);
}

void EventHub::PutConnection(EventRecord& record, const RemoteEnd& remote) {
  record.command = Code(remote.carrier);
  record.port = remote.port;
  record.origin = remote.fd;
  const std::string_view address = remote.address;
  Put(record, remote.carrier == Carrier::kUnix ? "unix" : address);
}

// --- watching ------------------------------------------------------------------------------------

std::shared_ptr<Watcher> EventHub::Watch(uint32_t streams, const Watcher::Wake& wake) {
  const std::lock_guard lock(mutex_);
  std::erase_if(watchers_, [](const auto& watcher) { return watcher->IsClosed(); });
  if (watchers_.size() >= kWatchersMax) return nullptr;
  // An id of its own, so that what happened before is not shown. Relaxed: only a number.
  const uint64_t first_id = last_event_id_.fetch_add(1, std::memory_order_relaxed) + 1;
  watchers_.push_back(std::make_shared<Watcher>(streams, first_id, config_.watcher_bytes, wake));
  WantWhatIsWatchedLocked();
  thread_.Wake();
  return watchers_.back();
}

void EventHub::WantWhatIsWatchedLocked() {
  uint32_t streams = 0;
  for (const auto& watcher : watchers_) streams |= watcher->Streams();
  const auto if_watched = [streams](watch_stream::Bit stream, uint32_t kind) {
    return (streams & stream) != 0 ? kind : 0;
  };
  EventSink::Want(if_watched(watch_stream::kFetchers, kFetches) |
                  if_watched(watch_stream::kEvictions, EventSink::kEvictions) |
                  if_watched(watch_stream::kSystemEvents, kPageMoves));
  ConnectionObserver::SetWatched((streams & watch_stream::kConnectionEvents) != 0);
  EventLog::Want(streams);
}

EventLogStats EventHub::Stats() const {
  EventLogStats stats;
  stats.log_worker_dropped = dropped_.load(std::memory_order_relaxed);
  stats.log_worker_written = written_.load(std::memory_order_relaxed);
  stats.log_watcher_skipped = skipped_.load(std::memory_order_relaxed);
  stats.log_watcher_sent = sent_.load(std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  stats.log_watchers = static_cast<uint64_t>(
      std::count_if(watchers_.begin(), watchers_.end(),
                    [](const auto& watcher) { return !watcher->IsClosed(); }));
  return stats;
}

void EventHub::ResetStats() {
  for (auto* count : {&dropped_, &written_, &skipped_, &sent_}) {
    count->store(0, std::memory_order_relaxed);
  }
}

// --- the log's thread ----------------------------------------------------------------------------

BackgroundThread::Wait EventHub::Step() {
  CopySeats();
  bool found = false;
  for (const auto& lane : lanes_) found |= CarryFrom(lane->records);
  for (Seat& seat : seats_) {
    if (std::exchange(seat.has_news, false)) seat.watcher->WakeReader();
  }
  if (seats_.empty()) return BackgroundThread::kUntilWoken;
  pause_ = found ? kPauseMin : std::clamp(pause_ * 2, kPauseMin, kPauseMax);
  return pause_;
}

// Brings the seats in line with the watchers, those that stay keeping what is known of them.
void EventHub::CopySeats() {
  const std::lock_guard lock(mutex_);
  const size_t closed_count =
      std::erase_if(watchers_, [](const auto& watcher) { return watcher->IsClosed(); });
  if (closed_count != 0) WantWhatIsWatchedLocked();
  std::erase_if(seats_, [](const Seat& seat) { return seat.watcher->IsClosed(); });
  for (const auto& watcher : watchers_) {
    const bool is_seated = std::any_of(seats_.begin(), seats_.end(),
                                       [&](const Seat& seat) { return seat.watcher == watcher; });
    if (!is_seated) seats_.push_back({.watcher = watcher});
  }
}

bool EventHub::CarryFrom(ByteRing& records) {
  uint32_t count = 0;
  while (count < kRecordsPerLaneMax && records.Size() != 0) {
    ++count;
    EventRecord record;
    records.Read({reinterpret_cast<char*>(&record), sizeof(record)});
    std::array<char, UINT8_MAX> key;
    records.Read(std::span(key).first(record.key_bytes));
    line_.clear();
    AppendEventLine(record, {key.data(), record.key_bytes}, line_);
    Deliver(record);
  }
  return count != 0;
}

void EventHub::Deliver(const EventRecord& record) {
  const uint32_t stream = StreamOf(record.kind);
  for (Seat& seat : seats_) {
    const bool is_asked_for = (seat.watcher->Streams() & stream) != 0;
    if (is_asked_for && record.id >= seat.watcher->FirstEventId()) WriteTo(seat);
  }
}

// A line that does not fit is left out, and the next one that does is announced by how many were.
void EventHub::WriteTo(Seat& seat) {
  std::string skipped;
  if (seat.skipped_lines != 0) skipped = fmt::format("skipped={}\n", seat.skipped_lines);
  if (!seat.watcher->Lines().Write(skipped, line_)) {
    ++seat.skipped_lines;
    return AddOne(skipped_);
  }
  seat.skipped_lines = 0;
  seat.has_news = true;
  AddOne(sent_);
}

}  // namespace larder::server
