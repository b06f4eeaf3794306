// `slabs` and `cache_memlimit`: how the memory is divided, and how much there is of it.

#include <fmt/format.h>

#include <algorithm>

#include "protocol/numbers.h"
#include "protocol/tokens.h"
#include "server/commands/admin_words.h"
#include "server/commands/crawler.h"
#include "server/commands/handlers.h"
#include "server/live_settings.h"

namespace larder::server {

using protocol::Outcome;
using protocol::ParseStrictInt32;
using protocol::ParseStrictUint32;
using protocol::ReplySink;
using protocol::Request;
using protocol::Status;
using protocol::TokenList;

namespace {

constexpr int32_t kPoolId = 0;

// --- slabs reassign ------------------------------------------------------------------------------

class PageMoveJob final : public CrawlJob {
 public:
  PageMoveJob(int32_t donor, int32_t receiver) : donor_(donor), receiver_(receiver) {}

  [[nodiscard]] Progress Step(slab::Cache& cache, slab::Worker& worker) override {
    const slab::MovePageStatus status = cache.MovePage(worker, donor_, receiver_);
    const bool is_worth_another_try = status == slab::MovePageStatus::kNotNow && --tries_left_ != 0;
    return is_worth_another_try ? Progress::kBlocked : Progress::kDone;
  }

 private:
  const int32_t donor_;
  const int32_t receiver_;
  int tries_left_ = 100;
};

// The answer is given before the page moves, and so from what is known beforehand.
Status JudgeMove(const slab::CacheStats& cache, int32_t donor, int32_t receiver) {
  constexpr uint64_t kPagesMin = 2;  // of a class that may give one away
  const auto class_count = static_cast<int32_t>(cache.classes.size());
  const auto page_count = [&](int32_t id) {
    return id == kPoolId ? cache.page_pool_count
                         : cache.classes[static_cast<size_t>(id - 1)].page_count;
  };
  const auto is_class = [&](int32_t id) { return id >= kPoolId && id <= class_count; };

  if (donor == receiver) return Status::kSameClass;
  if (!is_class(receiver)) return Status::kBadMoveClass;
  if (donor == -1) {  // whichever has one to spare
    for (int32_t id = 1; id <= class_count; ++id) {
      if (id != receiver && page_count(id) >= kPagesMin) return Status::kOk;
    }
    return Status::kBadMoveClass;
  }
  if (!is_class(donor)) return Status::kBadMoveClass;
  return page_count(donor) < kPagesMin ? Status::kNoSparePage : Status::kOk;
}

Status Reassign(WorkerContext& context, const TokenList& words) {
  CommandEnvironment& environment = context.environment;
  if (!environment.Options().slab_reassign) return Status::kReassignDisabled;
  const auto donor = ParseStrictInt32(words[2]);
  const auto receiver = ParseStrictInt32(words[3]);
  if (!donor || !receiver) return Status::kBadLine;
  if (environment.Crawler().IsBusy(Crawler::Errand::kPageMove)) return Status::kReassignBusy;
  const Status status = JudgeMove(context.cache.Stats(), *donor, *receiver);
  if (status != Status::kOk) return status;
  const bool begun = environment.Crawler().Begin(Crawler::Errand::kPageMove,
                                                 std::make_unique<PageMoveJob>(*donor, *receiver));
  return begun ? Status::kOk : Status::kReassignBusy;
}

// --- slabs automove ------------------------------------------------------------------------------

Status SetAutomoveRatio(Live<double>& setting, const TokenList& words) {
  const auto ratio = ParseDecimal(words[3]);
  if (!ratio) return Status::kUnknownCommand;
  setting.Set(*ratio);
  return Status::kOk;
}

Status SetAutomoveWindow(Live<uint32_t>& setting, const TokenList& words) {
  const auto window = ParseStrictUint32(words[3]);
  if (!window) return Status::kBadLine;
  if (*window < 3 || *window > 1800) return Status::kBadAutomoveWindow;
  setting.Set(*window);
  return Status::kOk;
}

Status Automove(WorkerContext& context, const TokenList& words) {
  LiveSettings& live = context.environment.Server().Live();
  if (MeansName(words[2], "ratio")) return SetAutomoveRatio(live.slab_automove_ratio, words);
  if (MeansName(words[2], "freeratio"))
    return SetAutomoveRatio(live.slab_automove_freeratio, words);
  if (MeansName(words[2], "window")) return SetAutomoveWindow(live.slab_automove_window, words);
  const auto level = ParseStrictUint32(words[2]);
  if (!level) return Status::kBadLine;
  if (*level > 2) return Status::kUnknownCommand;
  live.slab_automove.Set(static_cast<int32_t>(*level));
  context.cache.SetRebalancing(*level != 0 && context.environment.Options().slab_reassign);
  return Status::kOk;
}

}  // namespace

Outcome HandleSlabs(WorkerContext& context, const Request& request, ReplySink&) {
  const TokenList words(request.more_keys);
  if (words.Count() == 4 && MeansName(words[1], "reassign"))
    return {.status = Reassign(context, words)};
  if (words.Count() >= 3 && MeansName(words[1], "automove"))
    return {.status = Automove(context, words)};
  return {.status = Status::kUnknownCommand};
}

Outcome HandleCacheMemlimit(WorkerContext& context, const Request& request, ReplySink&) {
  constexpr uint32_t kLimitMibMin = 8;
  constexpr uint32_t kLimitMibMax = 1'000'000'000;
  const TokenList words(request.more_keys);
  const auto limit_mib = ParseStrictUint32(words[1]);
  if (!limit_mib) return {.status = Status::kUnknownCommand};
  if (*limit_mib < kLimitMibMin) return {.status = Status::kMemlimitTooSmall};
  if (*limit_mib > kLimitMibMax) return {.status = Status::kMemlimitInBytes};
  const bool is_fixed = context.environment.Options().preallocate;
  if (is_fixed || !context.cache.SetLimit(uint64_t{*limit_mib} * slab::kMiB)) {
    return {.status = Status::kMemlimitRefused};
  }
  context.environment.Server().Log(1, fmt::format("maxbytes adjusted to {}m", *limit_mib));
  return {.status = Status::kOk};
}

}  // namespace larder::server
