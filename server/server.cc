#include "server/server.h"

#include <event2/event.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "server/commands/command_service.h"
#include "server/memory_report.h"
#include "server/net/connection.h"
#include "server/net/listen_address.h"
#include "server/net/read_buffer.h"
#include "server/os/privileges.h"
#include "server/settings_report.h"
#include "server/version.h"
#include "slab/cache_config.h"

namespace larder::server {
namespace {

constexpr uint16_t kAnyFreePort = 0;

// One for so much memory that it could free all of it, of small items, within some four seconds
// (bench_sweep), as far as there are cores for them.
uint32_t SweeperCount(uint64_t limit_bytes) {
  constexpr uint64_t kBytesForEach = 4096 * slab::kMiB;
  const uint64_t core_count = std::max(std::thread::hardware_concurrency(), 1U);
  return static_cast<uint32_t>(std::clamp(limit_bytes / kBytesForEach, uint64_t{1}, core_count));
}

slab::CacheConfig ToCacheConfig(const Settings& settings) {
  slab::CacheConfig config;
  config.limit_bytes = static_cast<uint64_t>(settings.MemoryLimitBytes());
  config.evict = settings.evict;
  config.use_cas = settings.use_cas;
  config.growth_factor = settings.growth_factor;
  config.smallest_item_bytes = static_cast<uint32_t>(settings.smallest_item_bytes);
  config.item_bytes_max = static_cast<uint32_t>(settings.item_bytes_max);
  config.preallocate = settings.preallocate;
  config.chunk_sizes = settings.ParseSlabSizes().bytes;
  config.rebalance = settings.Rebalances();
  config.sweeper_count = SweeperCount(config.limit_bytes);
  return config;
}

LatencyStats::Distribution Distribution(const LatencyHistogram& latencies) {
  return {.count = latencies.Count(),
          .p50_ns = latencies.PercentileNs(0.5),
          .p99_ns = latencies.PercentileNs(0.99),
          .p999_ns = latencies.PercentileNs(0.999),
          .max_ns = latencies.PercentileNs(1.0)};
}

CommandOptions ToCommandOptions(const Settings& settings) {
  CommandOptions options;
  options.item_bytes_max = static_cast<uint32_t>(settings.item_bytes_max);
  options.use_cas = settings.use_cas;
  options.flush_enabled = settings.flush_enabled;
  options.dump_enabled = settings.dump_enabled;
  options.watch_enabled = settings.watch_enabled;
  options.shutdown_enabled = settings.shutdown_enabled;
  options.slab_reassign = settings.slab_reassign;
  options.lru_maintainer = settings.lru_maintainer;
  options.preallocate = settings.preallocate;
  options.track_sizes = settings.track_sizes;
  options.maxconns_fast = settings.maxconns_fast;
  options.idle_timeout_s = settings.IdleTimeoutSeconds();
  options.prefix_delimiter = settings.prefix_delimiter.byte;
  options.connections_max = static_cast<uint32_t>(settings.connections_max);
  options.thread_count = static_cast<uint32_t>(settings.worker_count);
  return options;
}

EventHubConfig ToEventHubConfig(const Settings& settings) {
  return {.lane_bytes = settings.worker_logbuf_bytes,
          .watcher_bytes = settings.watcher_logbuf_bytes,
          .thread_count = static_cast<uint32_t>(settings.worker_count)};
}

Binding ToBinding(ProtocolChoice protocol) {
  if (protocol == ProtocolChoice::kAscii) return Binding::kText;
  return protocol == ProtocolChoice::kBinary ? Binding::kBinary : Binding::kAuto;
}

// Where to listen with `option_port`, that of -p or -U. A unix socket turns both off, as memcached
// has it.
ListenList Addresses(const Settings& settings, int32_t option_port) {
  if (!settings.unix_path.empty() || option_port == 0) return {};
  const auto port = option_port < 0 ? kAnyFreePort : static_cast<uint16_t>(option_port);
  const Binding protocols = ToBinding(settings.protocol);
  if (!settings.listen_list.empty()) return ParseListenList(settings.listen_list, port, protocols);
  ListenList list = ParseListenList(kDefaultListenList, port, protocols);
  for (size_t i = 1; i < list.addresses.size(); ++i) list.addresses[i].is_optional = true;
  return list;
}

// REQUIRES: Server::Check has found nothing wrong with the addresses.
FrontEndConfig ToFrontEndConfig(const Settings& settings) {
  FrontEndConfig config;
  config.tcp_addresses = Addresses(settings, settings.tcp_port).addresses;
  config.udp_addresses = Addresses(settings, settings.udp_port).addresses;
  config.unix_path = settings.unix_path;
  config.unix_mode = settings.unix_mode;
  config.unix_protocols = ToBinding(settings.protocol);
  config.backlog = settings.listen_backlog;
  config.worker_count = static_cast<uint32_t>(settings.worker_count);
  config.clients_max = static_cast<uint64_t>(settings.connections_max);
  config.maxconns_fast = settings.maxconns_fast;
  config.requests_per_turn_max = static_cast<uint32_t>(settings.requests_per_turn_max);
  config.idle_timeout_s = settings.IdleTimeoutSeconds();
  config.buffer_bytes_max = settings.read_buf_limit_bytes;
  return config;
}

StartFailure CannotListen(const Settings& settings, std::string_view reason) {
  if (!settings.unix_path.empty()) {
    return {kExitSystem,
            fmt::format("failed to listen on UNIX socket: {}: {}", settings.unix_path, reason)};
  }
  if (!settings.listen_list.empty()) {
    return {kExitSystem, fmt::format("failed to listen on one of interface(s) {}: {}",
                                     settings.listen_list, reason)};
  }
  return {kExitSystem,
          fmt::format("failed to listen on TCP port {}: {}", settings.tcp_port, reason)};
}

// First thing on each worker's thread: one that cannot be held to this must not meet clients.
void DropWorkerPrivileges() {
  const std::string error = KeepOnly(Privileges::kWorker);
  if (error.empty()) return;
  fmt::print(stderr, "{}\n", error);
  ::_exit(kExitFailure);
}

uint64_t Microseconds(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_usec);
}

}  // namespace

std::string Server::ExplainMemory(const Settings& settings) {
  const BufferBounds buffers{.receive_bytes = ReadBuffer::kBytes,
                             .unsent_reply_bytes_max = Connection::kPendingBytesMax};
  return server::ExplainMemory(settings, slab::PlanMemory(ToCacheConfig(settings)), buffers);
}

Server::Server(const Settings& settings)
    : settings_(settings),
      live_(settings),
      log_(settings.verbosity, settings.log_format),
      events_(ToEventHubConfig(settings)),
      ticker_(slab::Clock::kFirstSecond),
      clock_(ticker_.StartUnixSeconds()) {}

Server::~Server() { Stop(); }

std::unique_ptr<Server> Server::Create(const Settings& settings, StartFailure* failure) {
  std::unique_ptr<Server> server(new Server(settings));
  std::optional<StartFailure> problem = Check(settings);
  if (!problem.has_value()) problem = server->BuildCache();
  if (!problem.has_value()) problem = server->BuildFrontEnd();
  if (!problem.has_value()) return server;
  *failure = std::move(*problem);
  return nullptr;
}

std::optional<StartFailure> Server::Check(const Settings& settings) {
  if (std::string complaint = ToCacheConfig(settings).Validate(); !complaint.empty()) {
    return StartFailure{kExitUsage, std::move(complaint)};
  }
  for (const int32_t port : {settings.tcp_port, settings.udp_port}) {
    if (const ListenList list = Addresses(settings, port); !list.error.empty()) {
      return CannotListen(settings, list.error);
    }
  }
  return std::nullopt;
}

uint64_t Server::FdCount(const Settings& settings) {
  return FrontEnd::FdCount(ToFrontEndConfig(settings));
}

std::optional<StartFailure> Server::BuildCache() {
  StartFailure failure{kExitSystem, {}};
  slab::CacheConfig config = ToCacheConfig(settings_);
  config.events = &events_;
  cache_ = slab::Cache::Create(config, clock_, &failure.message);
  if (cache_ == nullptr) return failure;
  commands_ = std::make_unique<CommandEnvironment>(*cache_, clock_, *this,
                                                   ToCommandOptions(settings_), &events_);
  cache_->SetWakeRoomMaker([this] { room_thread_.Wake(); });
  commands_->Crawler().SetWake([this] { crawl_thread_.Wake(); });
  return std::nullopt;
}

std::optional<StartFailure> Server::BuildFrontEnd() {
  const auto make_service = [this] { return std::make_unique<CommandService>(*commands_); };
  std::string error;
  FrontEndConfig config = ToFrontEndConfig(settings_);
  config.observer = &events_;
  front_end_ = FrontEnd::Create(config, make_service, log_, &error);
  if (front_end_ == nullptr) return CannotListen(settings_, error);
  return std::nullopt;
}

void Server::TellWhereItListens() {
  for (const ListenSocket& socket : Listeners()) {
    if (socket.family == AF_UNIX) {
      log_.Write(kLogEvent, "listening", {{"transport", "unix"}, {"path", settings_.unix_path}});
    } else {
      log_.Write(kLogEvent, "listening",
                 {{"transport", socket.family == AF_INET ? "tcp" : "tcp6"}, {"port", socket.port}});
    }
  }
  for (const FrontEnd::UdpPort& udp : UdpPorts()) {
    log_.Write(kLogEvent, "listening",
               {{"transport", udp.family == AF_INET ? "udp" : "udp6"}, {"port", udp.port}});
  }
}

namespace {

BackgroundThread::Wait MakeRoom(slab::Cache& cache) {
  switch (cache.MakeRoom()) {
    case slab::Cache::RoomWork::kIdle:
      return BackgroundThread::kUntilWoken;
    case slab::Cache::RoomWork::kMore:
      return BackgroundThread::Wait::zero();
    case slab::Cache::RoomWork::kBlocked:
      break;
  }
  return std::chrono::milliseconds(20);  // what was lent may have come home; nobody tells of that
}

}  // namespace

void Server::StartSweeping() {
  static constexpr std::chrono::milliseconds kMoment{1};
  for (uint32_t number = 0; number < cache_->SweeperCount(); ++number) {
    sweep_threads_.emplace_back().Start([this, number]() -> BackgroundThread::Wait {
      return cache_->Sweep(number) ? kMoment : Ticker::kPeriod;
    });
  }
}

std::optional<StartFailure> Server::Start() {
  TellWhereItListens();
  try {
    // The upkeep after the clock, which so waits for none of it.
    ticker_.Start([this](uint32_t now_s, uint32_t tenths) {
      cache_->EndDueFlush(now_s);
      clock_.Set(now_s, tenths);
      cache_->Upkeep();
    });
    StartSweeping();
    events_.Start();
    room_thread_.Start([this] { return MakeRoom(*cache_); });
    crawl_thread_.Start([this] { return commands_->Crawler().Step(); });
    front_end_->Start(settings_.drop_privileges ? DropWorkerPrivileges : nullptr);
  } catch (const std::system_error& error) {  // no more threads to be had
    Stop();
    return StartFailure{kExitSystem, fmt::format("cannot start all threads: {}", error.what())};
  }
  return std::nullopt;
}

// What has happened is told before those who watch are cut off.
void Server::Stop() {
  events_.Stop();
  events_.Step();
  if (front_end_ != nullptr) front_end_->Stop();
  room_thread_.Stop();
  crawl_thread_.Stop();
  sweep_threads_.clear();  // returns after the last step of each
  ticker_.Stop();
}

NetStats Server::Net() const {
  const FrontEndTotals now = front_end_->Totals();
  const std::lock_guard lock(reset_mutex_);
  NetStats stats;
  const uint64_t connections = now.clients + now.listeners + now.udp_sockets;
  stats.curr_connections = connections - std::min<uint64_t>(connections, 1);
  stats.connection_structures = connections;
  // memcached counts a listener as a connection when it opens it.
  const auto opened = [](const FrontEndTotals& totals) {
    return totals.accepted + totals.listeners + totals.udp_sockets;
  };
  stats.total_connections = opened(now) - opened(at_reset_);
  stats.rejected_connections = now.rejected - at_reset_.rejected;
  stats.bytes_read = now.bytes_read - at_reset_.bytes_read;
  stats.bytes_written = now.bytes_written - at_reset_.bytes_written;
  stats.conn_yields = now.yields - at_reset_.yields;
  stats.listen_disabled_num = now.pauses - at_reset_.pauses;
  stats.time_in_listen_disabled_us = now.paused_us - at_reset_.paused_us;
  stats.accepting_conns = !now.is_paused;
  stats.idle_kicks = now.idle_kicks - at_reset_.idle_kicks;
  stats.read_buf_oom = now.input_refusals - at_reset_.input_refusals;
  stats.response_obj_oom = now.reply_refusals - at_reset_.reply_refusals;
  stats.reply_buffer_bytes = now.held_replies_bytes;
  stats.reply_buffer_count = now.held_replies_count;
  const auto worker_count = static_cast<uint64_t>(settings_.worker_count);
  stats.read_buffer_bytes = now.held_input_bytes + worker_count * ReadBuffer::kBytes;
  stats.read_buffer_count = now.held_input_count + worker_count;
  return stats;
}

LatencyStats Server::Latency() const {
  const std::lock_guard lock(reset_mutex_);
  // Read under the lock: a reset meanwhile would take away more than was read.
  FrontEndTiming timing = front_end_->Timing();
  timing.requests.Subtract(timing_at_reset_.requests);
  timing.turns.Subtract(timing_at_reset_.turns);
  return {.requests = Distribution(timing.requests), .turns = Distribution(timing.turns)};
}

ProcessStats Server::Process() const {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  ProcessStats stats;
  stats.pid = ::getpid();
  stats.unix_time_s = clock_.ToUnixSeconds(clock_.NowSeconds());
  stats.user_us = Microseconds(usage.ru_utime);
  stats.system_us = Microseconds(usage.ru_stime);
  stats.libevent_version = event_get_version();
  return stats;
}

void Server::ResetNetStats() {
  const FrontEndTotals now = front_end_->Totals();
  const FrontEndTiming timing = front_end_->Timing();
  const std::lock_guard lock(reset_mutex_);
  at_reset_ = now;
  timing_at_reset_ = timing;
}

void Server::DescribeConnections(TakeConnectionFacts take) {
  front_end_->DescribeConnections(std::move(take));
}

std::string Server::Version() const { return std::string(LarderVersion()); }

void Server::ForEachSetting(
    const std::function<void(std::string_view, std::string_view)>& emit) const {
  const slab::CacheStats cache = cache_->Stats();
  const ReportedState state{.verbosity = log_.Level(),
                            .limit_bytes = cache.limit_bytes,
                            .flushed_before_s = cache.flushed_before_s,
                            .can_drop_privileges = CanDropPrivileges()};
  ReportSettings(settings_, live_, state, emit);
}

}  // namespace larder::server
