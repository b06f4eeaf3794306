// slab/worker.h - what one thread keeps to itself, so that most operations share nothing.
//
//   stock     free chunks per class, taken from the class's list many at a time
//   entries   new items that are on probation, and not yet in their class's queue (lru.h)
//   limbo     chunks out of reach, waiting until nobody can be reading them (epoch.h)
//   counters  counted here, added up when somebody asks
//
// Both batches are settled under the class's mutex in one go (chunk_supply.h), so a small
// item's store takes that lock about once in kBatchMax times.
//
// Owner    Cache owns workers. A thread owns its worker's state from Online to Offline by holding
//          turn_mutex. An idle worker's state may be settled by whoever gets the mutex with
//          TryLock: nothing is out of reach because its worker waits for events.
// Threads  turn_mutex guards everything but the counters, which any thread may read.
// Units    chunks, handles.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "slab/counter.h"
#include "slab/epoch.h"
#include "slab/locks.h"
#include "slab/lru.h"
#include "slab/page_arena.h"
#include "slab/ring.h"
#include "slab/size_classes.h"

namespace larder::slab {

// Most chunks that a batch of any class has.
inline constexpr uint32_t kBatchMax = 32;

template <typename Element, uint32_t kCapacity>
class Batch {
 public:
  void Push(Element element) { elements_[count_++] = element; }
  [[nodiscard]] Element Pop() { return elements_[--count_]; }
  [[nodiscard]] uint32_t Count() const { return count_; }
  void Clear() { count_ = 0; }
  [[nodiscard]] const Element* begin() const { return elements_.data(); }
  [[nodiscard]] const Element* end() const { return elements_.data() + count_; }

 private:
  std::array<Element, kCapacity> elements_;
  uint32_t count_ = 0;
};

struct RetiredChunk {
  Handle handle = kNoHandle;
  Epoch stamp = 0;  // 0: not sealed yet
};

struct WorkerClassCounters {
#define COUNTER(name) Counter name;
#include "slab/class_counters.def"
#undef COUNTER
  // Never reset: present figures are the differences, summed over workers.
  Counter items_added;
  Counter items_removed;
  Counter bytes_added;
  Counter bytes_removed;
  Counter evicted_age_ds;  // sum over victims: tenths of seconds since each was last accessed
  Counter protected_added;
  Counter protected_removed;
};

struct WorkerCounters {
#define COUNTER(name) Counter name;
#include "slab/cache_counters.def"
#undef COUNTER
  std::array<WorkerClassCounters, SizeClasses::kClassCountMax + 1> classes;
};

// On lines of its own: no other worker writes where this one does.
class alignas(64) Worker {
 public:
  explicit Worker(EpochDomain::Participant& epoch_participant) : participant(epoch_participant) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  struct ClassBatches {
    Batch<Handle, 2 * kBatchMax> stock;
    Batch<ProbationEntry, kBatchMax> entries;
  };

  [[nodiscard]] ClassBatches& BatchesOf(uint32_t class_id) { return batches[class_id]; }
  [[nodiscard]] WorkerClassCounters& CountersOf(uint32_t class_id) {
    return counters.classes[class_id];
  }

  EpochDomain::Participant& participant;
  Mutex turn_mutex{LockRank::kTurn};
  std::array<ClassBatches, SizeClasses::kClassCountMax + 1> batches;
  Ring<RetiredChunk> limbo;
  // Sealed and over, but lent to a socket: looked at again at every collection.
  std::vector<Handle> pinned;
  // Between Online and Offline; read by the worker's own thread.
  bool is_online = false;
  // Something is in the batches or in limbo that others may come to need.
  bool has_leftovers = false;

  // The last request to give everything back that was answered. Written under turn_mutex.
  std::atomic<uint64_t> drained_request{0};

  // Of the client whose requests are being carried out; the worker's thread only.
  int32_t origin = -1;

  WorkerCounters counters;
};

}  // namespace larder::slab
