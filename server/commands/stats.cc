#include "server/commands/stats.h"

#include <fmt/format.h>

#include "protocol/text_encoder.h"
#include "server/commands/handlers.h"

namespace larder::server {

using protocol::Outcome;
using protocol::ReplySink;
using protocol::Request;
using protocol::Status;

void TextStatSink::Emit(std::string_view key, std::string_view value) {
  WriteStat(key, value, replies_);
}

void StatWriter::Add(std::string_view key, std::string_view value) {
  if (prefix_.empty()) return sink_.Emit(key, value);
  sink_.Emit(prefix_ + std::string(key), value);
}

void StatWriter::Add(std::string_view key, uint64_t value) {
  const fmt::format_int digits(value);
  Add(key, std::string_view(digits.data(), digits.size()));
}

void StatWriter::Add(std::string_view key, int64_t value) {
  const fmt::format_int digits(value);
  Add(key, std::string_view(digits.data(), digits.size()));
}

void StatWriter::Add(std::string_view key, Microseconds value) {
  constexpr uint64_t kPerSecond = 1'000'000;
  Add(key, std::string_view(
               fmt::format("{}.{:06}", value.count / kPerSecond, value.count % kPerSecond)));
}

void StatWriter::Add(std::string_view key, Nanoseconds value) {
  Add(key, std::string_view(fmt::format("{}.{:03}", value.count / 1000, value.count % 1000)));
}

void WriteSettings(const CommandEnvironment& environment, StatSink& sink) {
  environment.Server().ForEachSetting(
      [&sink](std::string_view key, std::string_view value) { sink.Emit(key, value); });
}

void WriteSizes(const CommandEnvironment& environment, StatSink& sink) {
  sink.Emit("sizes_status", environment.Options().track_sizes ? "enabled" : "disabled");
}

void ResetStats(CommandEnvironment& environment) {
  environment.Cache().ResetStats();
  environment.Server().ResetNetStats();
  environment.ResetCounters();
  environment.Events().ResetStats();
  environment.Crawler().ResetStartCount();
  environment.Prefixes().Reset();
}

namespace {

// A group's name may be cut short: any prefix means the first of these that it fits.
enum class PrefixGroup { kReset, kDetail, kSettings, kCachedump, kConns, kExtstore, kNone };
PrefixGroup FindByPrefix(std::string_view prefix) {
  constexpr std::string_view kNames[] = {"reset",     "detail", "settings",
                                         "cachedump", "conns",  "extstore"};
  int group = 0;
  for (const std::string_view name : kNames) {
    if (name.starts_with(prefix)) break;
    ++group;
  }
  return static_cast<PrefixGroup>(group);
}

Outcome HandleWholeNameGroup(WorkerContext& context, std::string_view group, ReplySink& replies) {
  const CommandEnvironment& environment = context.environment;
  TextStatSink sink(replies);
  if (group == "sizes") return HandleStatsSizes(context, replies);
  if (group == "items") {
    WriteItemStats(environment, sink);
  } else if (group == "slabs") {
    WriteSlabStats(environment, sink);
  } else if (group == "larder" && !context.connection->IsDatagram()) {
    WriteLarderStats(environment, sink);  // not for datagrams: memcached answers them with less
  } else {
    return {.status = Status::kUnknownCommand};
  }
  return {.status = Status::kEnd};
}

}  // namespace

Outcome HandleStats(WorkerContext& context, const Request& request, ReplySink& replies) {
  CommandEnvironment& environment = context.environment;
  TextStatSink sink(replies);
  if (request.key.empty()) {
    WriteGeneralStats(environment, sink);
    return {.status = Status::kEnd};
  }
  const protocol::TokenList words(request.more_keys);
  switch (FindByPrefix(request.key)) {
    case PrefixGroup::kReset:
      ResetStats(environment);
      return {.status = Status::kReset};
    case PrefixGroup::kDetail:
      return HandleStatsDetail(context, words);
    case PrefixGroup::kSettings:
      WriteSettings(environment, sink);
      return {.status = Status::kEnd};
    case PrefixGroup::kCachedump:
      return HandleStatsCachedump(context, words);
    case PrefixGroup::kConns:
      return HandleStatsConnections(context);
    case PrefixGroup::kExtstore:  // there is no flash, so there is nothing to tell of it
      return {.status = Status::kEnd};
    case PrefixGroup::kNone:
      return HandleWholeNameGroup(context, request.key, replies);
  }
  return {.status = Status::kUnknownCommand};
}

}  // namespace larder::server
