// server/commands/pipe.h - the answer of an errand on its way to the client: the crawler writes,
// the client's connection sends. Neither waits for the other.
//
// A client that takes nothing for kStallSecondsMax loses the errand and its connection: somebody
// else may be waiting for the crawler.
//
// Owner    errand and feed share it; each notices when the other is gone.
// Threads  PipeJob the crawler's, PipeFeed the connection's worker's.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "server/commands/crawler.h"
#include "server/commands/feed.h"
#include "server/commands/worker_context.h"
#include "server/observe/byte_ring.h"
#include "slab/clock.h"

namespace larder::server {

inline constexpr size_t kPipeBytes = 256 * 1024;
inline constexpr uint32_t kStallSecondsMax = 30;

struct Pipe {
  explicit Pipe(std::shared_ptr<Waker> reader_waker) : waker(std::move(reader_waker)) {}

  ByteRing bytes{kPipeBytes};
  const std::shared_ptr<Waker> waker;
  // Each is set once, by the side named, with release, and loaded with acquire: who sees it also
  // sees what was written before.
  std::atomic<bool> is_complete{false};   // the writer has written all
  std::atomic<bool> is_given_up{false};   // the writer waits no longer for the reader
  std::atomic<bool> is_abandoned{false};  // the reader is gone
  // The writer found no room. Relaxed: a hint that a retry backs up.
  std::atomic<bool> writer_waits{false};
};

// The writing side of an errand.
class PipeJob : public CrawlJob {
 public:
  PipeJob(std::shared_ptr<Pipe> pipe, const slab::Clock& clock)
      : pipe_(std::move(pipe)), clock_(clock), moved_s_(clock.NowSeconds()) {}

  [[nodiscard]] Progress Step(slab::Cache& cache, slab::Worker& worker) final;
  // Writes the end: who has read it may ask for the next dump at once.
  void Conclude() final;

 protected:
  // Appends the next part of the answer to `text`, a bounded one. False: it was the last.
  [[nodiscard]] virtual bool Produce(slab::Cache& cache, slab::Worker& worker,
                                     std::string& text) = 0;

 private:
  [[nodiscard]] bool WritePending();
  [[nodiscard]] bool PendingFits() const {
    return pending_.size() - written_bytes_ <= pipe_->bytes.FreeBytes();
  }
  void WakeNowAndThen();
  Progress Stall();

  const std::shared_ptr<Pipe> pipe_;
  const slab::Clock& clock_;
  uint32_t moved_s_;  // when the reader last took something
  std::string pending_;
  size_t written_bytes_ = 0;  // of pending_
  uint32_t steps_since_wake_ = 0;
  bool is_produced_ = false;
};

// The reading side. `crawler` is woken when there is room again; it outlives every connection.
class PipeFeed final : public Feed {
 public:
  PipeFeed(std::shared_ptr<Pipe> pipe, const Crawler& crawler)
      : pipe_(std::move(pipe)), crawler_(crawler) {}
  ~PipeFeed() override;

  [[nodiscard]] State Drain(protocol::ReplySink& replies) override;
  [[nodiscard]] bool IsHopeless() const override {
    return pipe_->is_given_up.load(std::memory_order_acquire);
  }

 private:
  const std::shared_ptr<Pipe> pipe_;
  const Crawler& crawler_;
};

}  // namespace larder::server
