// server/commands/crawler.h - errands that go through the whole cache: dumps, crawls for expired
// items, counts, moves of pages. Workers take them from clients, one background thread runs them.
//
// Whoever answers a client meanwhile is its connection's Feed (feed.h): an errand and a feed share
// nothing but a pipe (pipe.h).
//
// Owner    owns the jobs from Begin until they are done.
// Threads  Begin, IsBusy and Wake from any; Step from one thread at a time, which the composition
//          root brings along. SetWake before any of these.
// Bounds   a step of a dump or a crawl takes well under a millisecond, and no lock of the cache for
//          longer than an operation of a client does. A page move waits for readers and workers,
//          and the other errands wait with it.
// Not here the thread: server/os/background_thread.h. What the errands are: dump.h, admin_slabs.cc
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "server/commands/server_view.h"
#include "slab/cache.h"

namespace larder::server {

class CrawlJob {
 public:
  enum class Progress : uint8_t {
    kGoOn,
    kBlocked,  // whoever takes its output does not take any
    kDone,
  };

  CrawlJob() = default;
  CrawlJob(const CrawlJob&) = delete;
  CrawlJob& operator=(const CrawlJob&) = delete;
  virtual ~CrawlJob() = default;

  // REQUIRES: `worker` is on-line. It passes a quiescent state after the step.
  [[nodiscard]] virtual Progress Step(slab::Cache& cache, slab::Worker& worker) = 0;
  // After kDone, when the next of its kind may begin: now a client can be told that this is over.
  virtual void Conclude() {}
};

class Crawler {
 public:
  // One crawl and one page move at a time, and kReportsMax reports: each has a pipe of memory.
  enum class Errand : uint8_t { kCrawl, kPageMove, kReport };
  static constexpr int kReportsMax = 4;

  Crawler(slab::Cache& cache, ServerView& server) : cache_(cache), server_(server) {}
  Crawler(const Crawler&) = delete;
  Crawler& operator=(const Crawler&) = delete;
  ~Crawler();

  // `wake` makes the thread call Step soon.
  void SetWake(std::function<void()> wake) { wake_ = std::move(wake); }

  // False: one of its kind is under way; the job is dropped.
  [[nodiscard]] bool Begin(Errand errand, std::unique_ptr<CrawlJob> job);
  [[nodiscard]] bool IsBusy(Errand errand) const;
  // Something that blocked a job is out of the way.
  void Wake() const {
    if (wake_) wake_();
  }

  // One step of each errand. Returns when to call again; microseconds::max(): when woken.
  std::chrono::microseconds Step();

  // Crawls and dumps begun since the start or the last reset. Relaxed: only a number.
  [[nodiscard]] uint64_t StartCount() const { return starts_.load(std::memory_order_relaxed); }
  void ResetStartCount() { starts_.store(0, std::memory_order_relaxed); }

 private:
  struct Task {
    Errand errand;
    std::unique_ptr<CrawlJob> job;
    Task* next = nullptr;  // in the inbox
  };

  [[nodiscard]] bool TryOccupy(Errand errand);
  void Vacate(Errand errand);
  void ReadInbox();
  bool StepAll();

  slab::Cache& cache_;
  ServerView& server_;
  std::function<void()> wake_;
  // A stack that workers push to and the thread takes whole.
  std::atomic<Task*> inbox_{nullptr};
  std::array<std::atomic<int>, 3> under_way_{};  // by errand
  std::atomic<uint64_t> starts_{0};

  // The caller of Step's.
  std::vector<std::unique_ptr<Task>> tasks_;
  slab::Worker* worker_ = nullptr;
};

}  // namespace larder::server
