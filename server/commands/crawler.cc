#include "server/commands/crawler.h"

#include <algorithm>
#include <utility>

#include "server/live_settings.h"

namespace larder::server {
namespace {

// A reader wakes us when it has made room. Should that be missed, this is how long it matters.
constexpr std::chrono::microseconds kBlockedPause{20'000};

// Between two steps. A dump's bytes are sent by the worker of the client that asked for it: at this
// pace, of about 30 MB a second, that takes a few percent of one worker. Whoever sets the sleep to
// 0 wants it over with.
std::chrono::microseconds PauseFor(uint32_t lru_crawler_sleep_us) {
  constexpr uint32_t kPauseMin = 500;
  const bool is_hurried = lru_crawler_sleep_us == 0;
  return std::chrono::microseconds(is_hurried ? 0 : std::max(lru_crawler_sleep_us, kPauseMin));
}

int BoundOf(Crawler::Errand errand) {
  return errand == Crawler::Errand::kReport ? Crawler::kReportsMax : 1;
}

}  // namespace

Crawler::~Crawler() {
  ReadInbox();  // to drop what is in it
}

bool Crawler::IsBusy(Errand errand) const {
  // Acquire: pairs with Vacate's release; what an errand did is seen by who finds it done.
  const int count = under_way_[static_cast<size_t>(errand)].load(std::memory_order_acquire);
  return count >= BoundOf(errand);
}

bool Crawler::TryOccupy(Errand errand) {
  std::atomic<int>& count = under_way_[static_cast<size_t>(errand)];
  // Acquire: as in IsBusy.
  if (count.fetch_add(1, std::memory_order_acquire) < BoundOf(errand)) return true;
  count.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

void Crawler::Vacate(Errand errand) {
  // Release: pairs with the acquire in IsBusy and TryOccupy.
  under_way_[static_cast<size_t>(errand)].fetch_sub(1, std::memory_order_release);
}

bool Crawler::Begin(Errand errand, std::unique_ptr<CrawlJob> job) {
  if (!TryOccupy(errand)) return false;
  if (errand == Errand::kCrawl) starts_.fetch_add(1, std::memory_order_relaxed);
  auto* const task = new Task{.errand = errand, .job = std::move(job)};
  task->next = inbox_.load(std::memory_order_relaxed);
  // Release: pairs with the acquire in ReadInbox and hands over the task's fields.
  while (!inbox_.compare_exchange_weak(task->next, task, std::memory_order_release,
                                       std::memory_order_relaxed)) {
  }
  Wake();
  return true;
}

// Taken whole, so that no task can come back to where a push is just looking.
void Crawler::ReadInbox() {
  Task* task = inbox_.exchange(nullptr, std::memory_order_acquire);
  while (task != nullptr) {
    tasks_.emplace_back(task);
    task = task->next;
  }
}

std::chrono::microseconds Crawler::Step() {
  ReadInbox();
  if (tasks_.empty()) return std::chrono::microseconds::max();
  if (worker_ == nullptr) worker_ = &cache_.AddWorker();
  cache_.Online(*worker_);
  const bool moved = StepAll();
  cache_.Offline(*worker_);
  if (!moved && !tasks_.empty()) return kBlockedPause;
  return PauseFor(server_.Live().lru_crawler_sleep.Get());
}

// False: all of them are blocked.
bool Crawler::StepAll() {
  bool moved = false;
  std::erase_if(tasks_, [&](const std::unique_ptr<Task>& task) {
    const CrawlJob::Progress progress = task->job->Step(cache_, *worker_);
    cache_.Quiesce(*worker_);
    moved |= progress != CrawlJob::Progress::kBlocked;
    if (progress != CrawlJob::Progress::kDone) return false;
    Vacate(task->errand);
    task->job->Conclude();
    return true;
  });
  return moved;
}

}  // namespace larder::server
