// `stats detail`, `stats cachedump` and `stats sizes`: groups that are about keys and items.

#include <fmt/format.h>

#include <iterator>

#include "protocol/numbers.h"
#include "protocol/text_encoder.h"
#include "server/commands/admin_words.h"
#include "server/commands/dump.h"
#include "server/commands/prefix_stats.h"
#include "server/commands/stats.h"
#include "server/live_settings.h"

namespace larder::server {

using protocol::Outcome;
using protocol::ParseStrictUint32;
using protocol::ReplySink;
using protocol::Status;
using protocol::TokenList;

namespace {

// The answer comes out of the pipe, its end included, unless too many are at it.
Outcome Report(WorkerContext& context, std::shared_ptr<Pipe> pipe, std::unique_ptr<CrawlJob> job) {
  Crawler& crawler = context.environment.Crawler();
  if (!crawler.Begin(Crawler::Errand::kReport, std::move(job))) {
    return {.status = Status::kCrawlerBusy};
  }
  context.feed = std::make_unique<PipeFeed>(std::move(pipe), crawler);
  return {};
}

void AppendTextStat(std::string_view key, std::string_view value, std::string& text) {
  if (key.empty()) {
    text += StatusLine(Status::kEnd);
  } else {
    fmt::format_to(std::back_inserter(text), "STAT {} {}\r\n", key, value);
  }
}

}  // namespace

Outcome HandleStatsDetail(WorkerContext& context, const TokenList& words) {
  CommandEnvironment& environment = context.environment;
  if (!environment.Options().dump_enabled) return {.status = Status::kDetailNotAllowed};
  if (words.Count() < 3) return {.status = Status::kDetailUsage};
  Live<bool>& is_on = environment.Server().Live().detail_enabled;
  if (MeansName(words[2], "on")) {
    is_on.Set(true);
  } else if (MeansName(words[2], "off")) {
    is_on.Set(false);
  } else if (MeansName(words[2], "dump")) {
    if (context.connection->IsDatagram()) return {.status = Status::kUnknownCommand};
    context.feed = std::make_unique<PrefixFeed>(environment.Prefixes());
    return {};
  } else {
    return {.status = Status::kDetailUsage};
  }
  return {.status = Status::kOk};
}

Outcome HandleStatsCachedump(WorkerContext& context, const TokenList& words) {
  constexpr uint32_t kClassIdMax = 63;
  const CommandEnvironment& environment = context.environment;
  if (!environment.Options().dump_enabled) return {.status = Status::kCachedumpNotAllowed};
  if (words.Count() < 4) return {.status = Status::kMissingWords};
  const auto class_id = ParseStrictUint32(words[2]);
  const auto items_max = ParseStrictUint32(words[3]);
  if (!class_id || !items_max) return {.status = Status::kBadLine};
  if (*class_id > kClassIdMax) return {.status = Status::kIllegalSlabId};
  if (context.connection->IsDatagram()) return {.status = Status::kUnknownCommand};
  auto pipe = std::make_shared<Pipe>(context.connection->GetWaker());
  auto job = std::make_unique<CacheDumpJob>(pipe, environment.Clock(), *class_id, *items_max);
  return Report(context, std::move(pipe), std::move(job));
}

std::optional<Outcome> ReportSizes(WorkerContext& context, FormatStat format) {
  const CommandEnvironment& environment = context.environment;
  if (!environment.Options().track_sizes || context.connection->IsDatagram()) return std::nullopt;
  auto pipe = std::make_shared<Pipe>(context.connection->GetWaker());
  auto job = std::make_unique<SizesJob>(pipe, environment.Clock(), std::move(format));
  return Report(context, std::move(pipe), std::move(job));
}

Outcome HandleStatsSizes(WorkerContext& context, ReplySink& replies) {
  if (const auto outcome = ReportSizes(context, AppendTextStat)) return *outcome;
  TextStatSink sink(replies);
  WriteSizes(context.environment, sink);
  return {.status = Status::kEnd};
}

}  // namespace larder::server
