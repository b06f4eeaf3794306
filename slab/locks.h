// slab/locks.h - the engine's locks: a mutex that clang's thread-safety analysis understands, and
// the one place that ranks them.
//
// Mutex    a word: free, held, or held with others asleep. Taking and releasing a free one is an
//          exchange each, in line; whoever finds it held looks again for about the time that a
//          class is held (kLooksMax), and sleeps in the kernel only then: putting a thread to sleep
//          and waking it costs several times what there is to wait for. Holders do nothing slow.
// Rule     a thread may wait for a lock only while every lock it holds has a lower rank. TryLock
//          may be used against the order, because it does not wait. Debug builds check this.
// Threads  any.
// Not here which fields a lock guards: GUARDED_BY beside the fields.
#pragma once

#include <atomic>
#include <cstdint>

#if defined(__clang__)
#define LARDER_TSA(x) __attribute__((x))
#else
#define LARDER_TSA(x)
#endif
#define CAPABILITY(x) LARDER_TSA(capability(x))
#define SCOPED_CAPABILITY LARDER_TSA(scoped_lockable)
#define GUARDED_BY(x) LARDER_TSA(guarded_by(x))
#define REQUIRES_LOCK(...) LARDER_TSA(requires_capability(__VA_ARGS__))
#define ACQUIRES_LOCK(...) LARDER_TSA(acquire_capability(__VA_ARGS__))
#define RELEASES_LOCK(...) LARDER_TSA(release_capability(__VA_ARGS__))
#define TRY_ACQUIRES_LOCK(...) LARDER_TSA(try_acquire_capability(__VA_ARGS__))
#define EXCLUDES_LOCK(...) LARDER_TSA(locks_excluded(__VA_ARGS__))
#define UNCHECKED_LOCKING LARDER_TSA(no_thread_safety_analysis)

namespace larder::slab {

// In the order in which they may be nested.
enum class LockRank : uint8_t {
  kTurn,         // a worker's private state, held for its whole turn
  kFlush,        // one flush_all at a time
  kRoom,         // room is made for one large value at a time
  kPageRelease,  // one page is emptied at a time
  kGrowth,       // one bucket of the index is split at a time
  kStripe,       // the buckets of the index whose hashes share their low bits
  kOverflow,     // free overflow buckets of the index
  kClass,        // free chunks, lists and pages of one slab class
  kLimbo,        // retired chunks that workers left behind
  kPool,         // free pages
  kExtents,      // slots of the extent area; a leaf: taken wherever a large value's memory is
  kRoomQueue,    // who waits for room; a leaf
  kRegistry,     // the lists of workers and of epoch participants
};

namespace internal {
#ifndef NDEBUG
void NoteLocked(LockRank rank, bool waited);
void NoteUnlocked(LockRank rank);
#else
inline void NoteLocked(LockRank, bool) {}
inline void NoteUnlocked(LockRank) {}
#endif
}  // namespace internal

class CAPABILITY("mutex") Mutex {
 public:
  explicit Mutex(LockRank rank) : rank_(rank) {}
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ACQUIRES_LOCK() {
    internal::NoteLocked(rank_, /*waited=*/true);
    if (!TryTake()) [[unlikely]]
      LockSlowly();
  }
  bool TryLock() TRY_ACQUIRES_LOCK(true) {
    if (!TryTake()) return false;
    internal::NoteLocked(rank_, /*waited=*/false);
    return true;
  }
  void Unlock() RELEASES_LOCK() {
    // Release: the next holder sees what was done under the lock.
    if (word_.exchange(kFree, std::memory_order_release) == kHeldAwaited) [[unlikely]]
      WakeOne();
    internal::NoteUnlocked(rank_);
  }

 private:
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kHeld = 1;
  static constexpr uint32_t kHeldAwaited = 2;  // somebody may be asleep
  static constexpr uint32_t kLooksMax = 200;

  bool TryTake() {
    uint32_t free = kFree;
    // Acquire: sees what was done under the lock before. Relaxed: nothing was taken.
    return word_.compare_exchange_strong(free, kHeld, std::memory_order_acquire,
                                         std::memory_order_relaxed);
  }
  void LockSlowly();
  void WakeOne();

  std::atomic<uint32_t> word_{kFree};
  const LockRank rank_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRES_LOCK(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() RELEASES_LOCK() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace larder::slab
