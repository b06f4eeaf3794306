// slab/worker_list.h - all workers of a cache, to be walked while more are added.
//
// Owner    the list owns the workers, for the life of the cache.
// Threads  Add: any, takes mutex_ (rank kRegistry). ForEach: any, without a lock.
#pragma once

#include <atomic>
#include <cassert>
#include <memory>

#include "slab/locks.h"
#include "slab/worker.h"

namespace larder::slab {

class WorkerList {
 public:
  Worker& Add(EpochDomain& epochs) {
    EpochDomain::Participant& participant = epochs.AddParticipant();
    const MutexLock lock(mutex_);
    const size_t index = count_.load(std::memory_order_relaxed);
    assert(index < kWorkersMax);
    workers_[index] = std::make_unique<Worker>(participant);
    // Release: a walk that counts the worker also sees it.
    count_.store(index + 1, std::memory_order_release);
    return *workers_[index];
  }

  template <typename Visit>
  void ForEach(const Visit& visit) const {
    const size_t count = count_.load(std::memory_order_acquire);
    for (size_t i = 0; i < count; ++i) visit(*workers_[i]);
  }

 private:
  Mutex mutex_{LockRank::kRegistry};
  std::unique_ptr<std::unique_ptr<Worker>[]> workers_ =
      std::make_unique<std::unique_ptr<Worker>[]>(kWorkersMax);
  std::atomic<size_t> count_{0};
};

}  // namespace larder::slab
