// `lru_crawler`: walks over all items, to free what has expired or to list what is there.

#include <optional>

#include "protocol/numbers.h"
#include "protocol/text_encoder.h"
#include "protocol/tokens.h"
#include "server/commands/admin_words.h"
#include "server/commands/dump.h"
#include "server/commands/handlers.h"
#include "server/live_settings.h"

namespace larder::server {

using protocol::Outcome;
using protocol::ParseStrictUint32;
using protocol::ReplySink;
using protocol::Request;
using protocol::Status;
using protocol::TokenList;

namespace {

class ExpiryCrawlJob final : public CrawlJob {
 public:
  explicit ExpiryCrawlJob(uint64_t class_mask) : class_mask_(class_mask) {}

  [[nodiscard]] Progress Step(slab::Cache& cache, slab::Worker& worker) override {
    const bool has_more = cache.Crawl(worker, cursor_, kBucketsPerStep, class_mask_);
    return has_more ? Progress::kGoOn : Progress::kDone;
  }

 private:
  const uint64_t class_mask_;
  slab::WalkCursor cursor_;
};

// --- which classes -------------------------------------------------------------------------------

struct ClassChoice {
  uint64_t mask = 0;  // by class id
  bool is_whole_index = false;
};

// A list of numbers, `all`, or `hash`. Nullopt: a number that is no class's.
std::optional<ClassChoice> ChooseClasses(std::string_view word) {
  constexpr uint32_t kClassIdMax = 63;
  if (word == "all") return ClassChoice{.mask = kAllClasses};
  if (word == "hash") return ClassChoice{.mask = kAllClasses, .is_whole_index = true};
  ClassChoice choice;
  while (!word.empty()) {
    const std::string_view id_text = word.substr(0, word.find(','));
    word.remove_prefix(std::min(id_text.size() + 1, word.size()));
    if (id_text.empty()) continue;
    const auto class_id = ParseStrictUint32(id_text);
    if (!class_id || *class_id == 0 || *class_id > kClassIdMax) return std::nullopt;
    choice.mask |= uint64_t{1} << *class_id;
  }
  return choice;
}

// kNone: the crawler can begin.
Status JudgeChoice(const Crawler& crawler, const std::optional<ClassChoice>& choice) {
  if (!choice) return Status::kBadCrawlClass;
  if (crawler.IsBusy(Crawler::Errand::kCrawl)) return Status::kCrawlerBusy;
  return choice->mask == 0 ? Status::kNothingToCrawl : Status::kNone;
}

// --- the sub-commands ----------------------------------------------------------------------------

Status Crawl(WorkerContext& context, std::string_view classes) {
  Crawler& crawler = context.environment.Crawler();
  if (!context.environment.Server().Live().lru_crawler.Get()) return Status::kCrawlerDisabled;
  const auto choice = ChooseClasses(classes);
  const Status refusal = JudgeChoice(crawler, choice);
  if (refusal != Status::kNone) return refusal;
  if (choice->is_whole_index) return Status::kCrawlerError;  // is for dumps alone
  const bool begun =
      crawler.Begin(Crawler::Errand::kCrawl, std::make_unique<ExpiryCrawlJob>(choice->mask));
  return begun ? Status::kOk : Status::kCrawlerBusy;
}

// What the two dumps differ in.
struct DumpKind {
  Status not_allowed;
  Status not_alone;
  std::unique_ptr<CrawlJob> (*make_job)(std::shared_ptr<Pipe>, const slab::Clock&, uint64_t);
};

template <typename Job>
std::unique_ptr<CrawlJob> MakeJob(std::shared_ptr<Pipe> pipe, const slab::Clock& clock,
                                  uint64_t class_mask) {
  return std::make_unique<Job>(std::move(pipe), clock, class_mask);
}

constexpr DumpKind kMetaDump = {Status::kMetadumpNotAllowed, Status::kMetadumpNotAlone,
                                MakeJob<MetaDumpJob>};
constexpr DumpKind kKeyDump = {Status::kMgdumpNotAllowed, Status::kMgdumpNotAlone,
                               MakeJob<KeyDumpJob>};

// `noreply` stands for too many words, so whoever gets here wants an answer.
Status Dump(WorkerContext& context, std::string_view classes, const DumpKind& kind,
            ReplySink& replies) {
  CommandEnvironment& environment = context.environment;
  if (!environment.Server().Live().lru_crawler.Get()) return Status::kCrawlerDisabled;
  if (!environment.Options().dump_enabled) return kind.not_allowed;
  // No answer at all, so that a forged datagram draws none that memcached would not give.
  if (context.connection->IsDatagram()) return Status::kNone;
  if (replies.PendingBytes() > 0) return kind.not_alone;
  const auto choice = ChooseClasses(classes);
  const Status refusal = JudgeChoice(environment.Crawler(), choice);
  if (refusal != Status::kNone) return refusal;

  auto pipe = std::make_shared<Pipe>(context.connection->GetWaker());
  if (!environment.Crawler().Begin(Crawler::Errand::kCrawl,
                                   kind.make_job(pipe, environment.Clock(), choice->mask))) {
    return Status::kCrawlerBusy;
  }
  context.feed = std::make_unique<PipeFeed>(std::move(pipe), environment.Crawler());
  return Status::kOk;
}

Status SetPace(LiveSettings& live, std::string_view word) {
  constexpr uint32_t kSleepMicrosecondsMax = 1'000'000;
  const auto sleep_us = ParseStrictUint32(word);
  if (!sleep_us) return Status::kBadLine;
  if (*sleep_us > kSleepMicrosecondsMax) return Status::kCrawlerSleepTooLong;
  live.lru_crawler_sleep.Set(*sleep_us);
  return Status::kOk;
}

Status SetItemsMax(LiveSettings& live, std::string_view word) {
  const auto items_max = ParseStrictUint32(word);
  if (!items_max) return Status::kBadLine;
  live.lru_crawler_tocrawl.Set(*items_max);
  return Status::kOk;
}

Status Switch(LiveSettings& live, std::string_view word) {
  if (MeansName(word, "enable")) {
    if (live.lru_crawler.Get()) return Status::kCrawlerRuns;
    live.lru_crawler.Set(true);
    return Status::kOk;
  }
  if (!MeansName(word, "disable")) return Status::kUnknownCommand;
  live.lru_crawler.Set(false);
  return Status::kOk;
}

}  // namespace

// Names may be cut short: the first that a word is the beginning of is meant.
Outcome HandleLruCrawler(WorkerContext& context, const Request& request, ReplySink& replies) {
  LiveSettings& live = context.environment.Server().Live();
  const TokenList words(request.more_keys);
  const std::string_view name = words[1];
  const std::string_view argument = words[2];
  if (words.Count() == 2) return {.status = Switch(live, name)};
  if (words.Count() != 3) return {.status = Status::kUnknownCommand};
  if (MeansName(name, "crawl")) return {.status = Crawl(context, argument)};
  if (MeansName(name, "metadump")) return {.status = Dump(context, argument, kMetaDump, replies)};
  if (MeansName(name, "mgdump")) return {.status = Dump(context, argument, kKeyDump, replies)};
  if (MeansName(name, "tocrawl")) return {.status = SetItemsMax(live, argument)};
  if (MeansName(name, "sleep")) return {.status = SetPace(live, argument)};
  return {.status = Status::kUnknownCommand};
}

}  // namespace larder::server
