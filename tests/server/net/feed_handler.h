// tests/server/net/feed_handler.h - a conversation whose answers somebody else produces:
//
//     feed       what the test puts into the FeedSource of this connection, until it finishes it
//     watch      the same, but without use to a peer that has ended its side
//
// and any other line is answered with itself.
//
// Threads  a FeedSource from any thread; handlers on their worker's.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/net/stream_handler.h"

namespace larder::server {

// The producer's and the connection's common ground.
class FeedSource {
 public:
  explicit FeedSource(std::shared_ptr<Waker> waker) : waker_(std::move(waker)) {}

  void Put(std::string_view bytes) {
    {
      const std::lock_guard lock(mutex_);
      produced_ += bytes;
    }
    waker_->Wake();
  }
  void Finish() {
    {
      const std::lock_guard lock(mutex_);
      is_finished_ = true;
    }
    waker_->Wake();
  }
  void WakeForNothing() { waker_->Wake(); }

  struct Taken {
    std::string bytes;
    bool is_last = false;
  };
  Taken Take() {
    const std::lock_guard lock(mutex_);
    return {std::exchange(produced_, {}), is_finished_};
  }

  // Whether the connection still wants it.
  std::atomic<bool> is_wanted{true};
  std::atomic<int> calls{0};

 private:
  const std::shared_ptr<Waker> waker_;
  std::mutex mutex_;
  std::string produced_;      // guarded by mutex_
  bool is_finished_ = false;  // guarded by mutex_
};

// Where a test finds the feeds that its clients asked for.
class FeedDesk {
 public:
  void Add(std::shared_ptr<FeedSource> source) {
    const std::lock_guard lock(mutex_);
    sources_.push_back(std::move(source));
  }
  [[nodiscard]] std::vector<std::shared_ptr<FeedSource>> All() {
    const std::lock_guard lock(mutex_);
    return sources_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<FeedSource>> sources_;  // guarded by mutex_
};

class FeedHandler final : public StreamHandler {
 public:
  static constexpr size_t kBlockedAboveBytes = 256 * 1024;

  FeedHandler(FeedDesk& desk, ConnectionLink& link) : desk_(desk), link_(link) {}
  ~FeedHandler() override {
    if (source_ != nullptr) source_->is_wanted = false;
  }

  StreamStep OnInput(std::string_view input, uint32_t, protocol::ReplySink& replies) override {
    StreamStep step;
    for (;;) {
      if (replies.PendingBytes() > kBlockedAboveBytes) {
        step.next = StreamStep::Next::kBlocked;
        return step;
      }
      if (source_ != nullptr) {
        if (!Drain(replies)) {
          step.next = StreamStep::Next::kAwait;
          return step;
        }
        continue;
      }
      const std::string_view rest = input.substr(step.consumed_bytes);
      const size_t line_bytes = rest.find('\n') + 1;
      if (line_bytes == 0) return step;
      step.consumed_bytes += line_bytes;
      Begin(rest.substr(0, line_bytes), replies);
    }
  }

  bool GoesOnWithoutPeer() const override { return !is_endless_; }

 private:
  void Begin(std::string_view line, protocol::ReplySink& replies) {
    is_endless_ = line == "watch\n";
    if (line != "feed\n" && !is_endless_) return replies.Append(line);
    source_ = std::make_shared<FeedSource>(link_.GetWaker());
    desk_.Add(source_);
  }

  // True: the feed is over.
  bool Drain(protocol::ReplySink& replies) {
    ++source_->calls;
    const FeedSource::Taken taken = source_->Take();
    replies.Append(taken.bytes);
    if (!taken.is_last) return false;
    source_->is_wanted = false;
    source_.reset();
    return true;
  }

  FeedDesk& desk_;
  ConnectionLink& link_;
  std::shared_ptr<FeedSource> source_;
  bool is_endless_ = false;
};

class FeedService final : public WorkerService {
 public:
  explicit FeedService(FeedDesk& desk) : desk_(desk) {}
  void OnTurnStart() override {}
  void OnTurnEnd() override {}
  std::unique_ptr<StreamHandler> MakeHandler(ConnectionLink& link) override {
    return std::make_unique<FeedHandler>(desk_, link);
  }

 private:
  FeedDesk& desk_;
};

}  // namespace larder::server
