#include "server/commands/stats.h"

#include <fmt/format.h>

#include "protocol/text_encoder.h"
#include "server/commands/handlers.h"

namespace larder::server {

using protocol::Outcome;
using protocol::ReplySink;
using protocol::Request;
using protocol::Status;

void StatWriter::Add(std::string_view key, std::string_view value) {
  if (prefix_.empty()) return WriteStat(key, value, replies_);
  WriteStat(prefix_ + std::string(key), value, replies_);
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

namespace {

Outcome WriteSettings(const CommandEnvironment& environment, ReplySink& replies) {
  StatWriter writer(replies);
  environment.Server().ForEachSetting(
      [&writer](std::string_view key, std::string_view value) { writer.Add(key, value); });
  return {.status = Status::kEnd};
}

Outcome Reset(CommandEnvironment& environment) {
  environment.Cache().ResetStats();
  environment.Server().ResetNetStats();
  environment.ResetCounters();
  return {.status = Status::kReset};
}

// A group's name may be cut short: any prefix means the first of these that it fits. The groups
// of abilities that are not built are known here all the same, for whom they would take a prefix
// from, and unknown to the client.
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

Outcome WriteWholeNameGroup(const CommandEnvironment& environment, std::string_view group,
                            ReplySink& replies) {
  if (group == "items") {
    WriteItemStats(environment.Cache().Stats(), replies);
  } else if (group == "slabs") {
    WriteSlabStats(environment.Cache().Stats(), replies);
  } else if (group == "sizes") {
    StatWriter(replies).Add("sizes_status", std::string_view("disabled"));
  } else {
    return {.status = Status::kUnknownCommand};
  }
  return {.status = Status::kEnd};
}

}  // namespace

Outcome HandleStats(WorkerContext& context, const Request& request, ReplySink& replies) {
  CommandEnvironment& environment = context.environment;
  if (request.key.empty()) {
    WriteGeneralStats(environment, replies);
    return {.status = Status::kEnd};
  }
  switch (FindByPrefix(request.key)) {
    case PrefixGroup::kReset:
      return Reset(environment);
    case PrefixGroup::kSettings:
      return WriteSettings(environment, replies);
    case PrefixGroup::kDetail:
    case PrefixGroup::kCachedump:
    case PrefixGroup::kConns:
    case PrefixGroup::kExtstore:
      return {.status = Status::kUnknownCommand};
    case PrefixGroup::kNone:
      return WriteWholeNameGroup(environment, request.key, replies);
  }
  return {.status = Status::kUnknownCommand};
}

}  // namespace larder::server
