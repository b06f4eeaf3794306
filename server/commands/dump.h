// server/commands/dump.h - the errands whose answer is about every item: metadump, mgdump,
// cachedump, sizes.
//
// Threads  made on a worker's thread, run by the crawler's.
// Not here how an answer gets to the client: pipe.h. Which command asks for what: admin_crawler.cc,
//          stats_dumps.cc
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/outcome.h"
#include "server/commands/pipe.h"
#include "slab/cache.h"
#include "slab/clock.h"

namespace larder::server {

// Buckets of the index that one step looks at, about 8 items each.
inline constexpr uint32_t kBucketsPerStep = 32;

inline constexpr uint64_t kAllClasses = ~uint64_t{0};

// A walk over all items of some classes, each of them a line or a figure.
class WalkJob : public PipeJob {
 public:
  WalkJob(std::shared_ptr<Pipe> pipe, const slab::Clock& clock, uint64_t class_mask)
      : PipeJob(std::move(pipe), clock), class_mask_(class_mask) {}

 protected:
  [[nodiscard]] bool Produce(slab::Cache& cache, slab::Worker& worker, std::string& text) final;

  // False: no more items are wanted.
  [[nodiscard]] virtual bool Visit(const slab::Hit& item, const slab::ItemDetails& details,
                                   std::string& text) = 0;
  virtual void Finish(std::string& text) = 0;

 private:
  const uint64_t class_mask_;
  slab::WalkCursor cursor_;
};

// `lru_crawler metadump`: a line of facts for each item.
class MetaDumpJob final : public WalkJob {
 public:
  MetaDumpJob(std::shared_ptr<Pipe> pipe, const slab::Clock& clock, uint64_t class_mask)
      : WalkJob(std::move(pipe), clock, class_mask), clock_(clock) {}

 private:
  [[nodiscard]] bool Visit(const slab::Hit& item, const slab::ItemDetails& details,
                           std::string& text) override;
  void Finish(std::string& text) override;

  const slab::Clock& clock_;
};

// `lru_crawler mgdump`: a meta get for each item.
class KeyDumpJob final : public WalkJob {
 public:
  using WalkJob::WalkJob;

 private:
  [[nodiscard]] bool Visit(const slab::Hit& item, const slab::ItemDetails& details,
                           std::string& text) override;
  void Finish(std::string& text) override;
};

// `stats cachedump`: the first items of one class, up to a number of them and of bytes.
class CacheDumpJob final : public WalkJob {
 public:
  static constexpr size_t kBytesMax = 2 * 1024 * 1024;

  // `items_max` 0: any number.
  CacheDumpJob(std::shared_ptr<Pipe> pipe, const slab::Clock& clock, uint32_t class_id,
               uint32_t items_max)
      : WalkJob(std::move(pipe), clock, uint64_t{1} << class_id),
        clock_(clock),
        items_left_(items_max == 0 ? UINT64_MAX : items_max) {}

 private:
  [[nodiscard]] bool Visit(const slab::Hit& item, const slab::ItemDetails& details,
                           std::string& text) override;
  void Finish(std::string& text) override;

  const slab::Clock& clock_;
  uint64_t items_left_;
  size_t bytes_left_ = kBytesMax;
};

// Appends a figure as the client's protocol has it, or, of an empty key, the end of the answer.
using FormatStat =
    std::function<void(std::string_view key, std::string_view value, std::string& text)>;

// `stats sizes`: how many items there are of each size.
class SizesJob final : public WalkJob {
 public:
  SizesJob(std::shared_ptr<Pipe> pipe, const slab::Clock& clock, FormatStat format)
      : WalkJob(std::move(pipe), clock, kAllClasses), format_(std::move(format)) {}

 private:
  [[nodiscard]] bool Visit(const slab::Hit& item, const slab::ItemDetails& details,
                           std::string& text) override;
  void Finish(std::string& text) override;

  static constexpr uint64_t kStepBytes = 32;
  const FormatStat format_;
  std::vector<uint64_t> counts_;  // by size in steps, rounded up
};

// Leaves a feed with the sizes, or says that too many ask at a time, if they are tracked and the
// client can wait. Otherwise nullopt: WriteSizes (stats.h) has the answer. In stats_dumps.cc.
[[nodiscard]] std::optional<protocol::Outcome> ReportSizes(WorkerContext& context,
                                                           FormatStat format);

}  // namespace larder::server
