#include "server/server.h"

#include <event2/event.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include "server/commands/command_service.h"
#include "server/net/listen_address.h"
#include "server/settings_report.h"
#include "slab/cache_config.h"

namespace larder::server {
namespace {

constexpr uint16_t kAnyFreePort = 0;

slab::CacheConfig ToCacheConfig(const Settings& settings) {
  slab::CacheConfig config;
  config.limit_bytes = static_cast<uint64_t>(settings.MemoryLimitBytes());
  config.evict = settings.evict;
  config.use_cas = settings.use_cas;
  config.growth_factor = settings.growth_factor;
  config.smallest_item_bytes = static_cast<uint32_t>(settings.smallest_item_bytes);
  config.item_bytes_max = static_cast<uint32_t>(settings.item_bytes_max);
  config.preallocate = settings.preallocate;
  return config;
}

CommandOptions ToCommandOptions(const Settings& settings) {
  CommandOptions options;
  options.item_bytes_max = static_cast<uint32_t>(settings.item_bytes_max);
  options.use_cas = settings.use_cas;
  options.flush_enabled = settings.flush_enabled;
  options.connections_max = static_cast<uint32_t>(settings.connections_max);
  options.thread_count = static_cast<uint32_t>(settings.worker_count);
  return options;
}

// A unix socket turns TCP off, as memcached has it.
ListenList TcpAddresses(const Settings& settings) {
  if (!settings.unix_path.empty() || settings.tcp_port == 0) return {};
  const auto port = settings.tcp_port < 0 ? kAnyFreePort : static_cast<uint16_t>(settings.tcp_port);
  if (!settings.listen_list.empty()) return ParseListenList(settings.listen_list, port);
  ListenList list = ParseListenList(kDefaultListenList, port);
  for (size_t i = 1; i < list.addresses.size(); ++i) list.addresses[i].is_optional = true;
  return list;
}

FrontEndConfig ToFrontEndConfig(const Settings& settings, std::vector<ListenAddress> addresses) {
  FrontEndConfig config;
  config.tcp_addresses = std::move(addresses);
  config.unix_path = settings.unix_path;
  config.unix_mode = settings.unix_mode;
  config.backlog = settings.listen_backlog;
  config.worker_count = static_cast<uint32_t>(settings.worker_count);
  config.clients_max = static_cast<uint64_t>(settings.connections_max);
  config.requests_per_turn_max = static_cast<uint32_t>(settings.requests_per_turn_max);
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

uint64_t Microseconds(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_usec);
}

}  // namespace

Server::Server(const Settings& settings)
    : settings_(settings),
      log_(settings.verbosity),
      ticker_(slab::Clock::kFirstSecond),
      clock_(ticker_.StartUnixSeconds()) {}

Server::~Server() { Stop(); }

std::unique_ptr<Server> Server::Create(const Settings& settings, StartFailure* failure) {
  std::unique_ptr<Server> server(new Server(settings));
  std::optional<StartFailure> problem = server->BuildCache();
  if (!problem.has_value()) problem = server->BuildFrontEnd();
  if (!problem.has_value()) return server;
  *failure = std::move(*problem);
  return nullptr;
}

std::optional<StartFailure> Server::BuildCache() {
  const slab::CacheConfig config = ToCacheConfig(settings_);
  if (std::string complaint = config.Validate(); !complaint.empty()) {
    return StartFailure{kExitUsage, std::move(complaint)};
  }
  StartFailure failure{kExitSystem, {}};
  cache_ = slab::Cache::Create(config, clock_, &failure.message);
  if (cache_ == nullptr) return failure;
  commands_ =
      std::make_unique<CommandEnvironment>(*cache_, clock_, *this, ToCommandOptions(settings_));
  return std::nullopt;
}

std::optional<StartFailure> Server::BuildFrontEnd() {
  ListenList list = TcpAddresses(settings_);
  if (!list.error.empty()) return CannotListen(settings_, list.error);
  const auto make_service = [this] { return std::make_unique<CommandService>(*commands_); };
  std::string error;
  front_end_ = FrontEnd::Create(ToFrontEndConfig(settings_, std::move(list.addresses)),
                                make_service, log_, &error);
  if (front_end_ == nullptr) return CannotListen(settings_, error);
  return std::nullopt;
}

std::optional<StartFailure> Server::Start() {
  try {
    // The cache first, then the clock: who already reads the new second must not find an item that
    // a flush due at that second has ended.
    ticker_.Start([this](uint32_t now_s) {
      cache_->Maintain(now_s);
      clock_.Set(now_s);
    });
    front_end_->Start();
  } catch (const std::system_error& error) {  // no more threads to be had
    Stop();
    return StartFailure{kExitSystem, fmt::format("cannot start all threads: {}", error.what())};
  }
  return std::nullopt;
}

void Server::Stop() {
  if (front_end_ != nullptr) front_end_->Stop();
  ticker_.Stop();
}

NetStats Server::Net() const {
  const FrontEndTotals now = front_end_->Totals();
  const std::lock_guard lock(reset_mutex_);
  NetStats stats;
  const uint64_t connections = now.clients + now.listeners;
  stats.curr_connections = connections - std::min<uint64_t>(connections, 1);
  stats.connection_structures = connections;
  stats.total_connections = now.accepted - at_reset_.accepted;
  stats.rejected_connections = now.rejected - at_reset_.rejected;
  stats.bytes_read = now.bytes_read - at_reset_.bytes_read;
  stats.bytes_written = now.bytes_written - at_reset_.bytes_written;
  stats.conn_yields = now.yields - at_reset_.yields;
  stats.listen_disabled_num = now.pauses - at_reset_.pauses;
  stats.time_in_listen_disabled_us = now.paused_us - at_reset_.paused_us;
  stats.accepting_conns = !now.is_paused;
  stats.reply_buffer_bytes = now.held_replies_bytes;
  stats.reply_buffer_count = now.held_replies_count;
  const auto worker_count = static_cast<uint64_t>(settings_.worker_count);
  stats.read_buffer_bytes = now.held_input_bytes + worker_count * ReadBuffer::kBytes;
  stats.read_buffer_count = now.held_input_count + worker_count;
  return stats;
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
  const std::lock_guard lock(reset_mutex_);
  at_reset_ = now;
}

void Server::ForEachSetting(
    const std::function<void(std::string_view, std::string_view)>& emit) const {
  const LiveSettings live{log_.Level(), cache_->Stats().flushed_before_s};
  ReportSettings(settings_, live, emit);
}

}  // namespace larder::server
