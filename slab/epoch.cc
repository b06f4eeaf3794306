#include "slab/epoch.h"

#include <cassert>

namespace larder::slab {

namespace {

// A full fence. ThreadSanitizer does not model fences and refuses to build one, so there a
// read-modify-write of a private variable stands in: the same instruction on x86-64. What
// ThreadSanitizer can follow, the release and acquire of the epochs, carries the proof for it.
#if defined(__SANITIZE_THREAD__)
#define LARDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LARDER_TSAN 1
#endif
#endif

#ifdef LARDER_TSAN
void FullFence() {
  std::atomic<int> dummy{0};
  dummy.fetch_add(1, std::memory_order_seq_cst);
}
#else
void FullFence() { std::atomic_thread_fence(std::memory_order_seq_cst); }
#endif

}  // namespace

EpochDomain::Participant& EpochDomain::AddParticipant() {
  const MutexLock lock(registry_mutex_);
  const size_t index = count_.load(std::memory_order_relaxed);
  assert(index < kWorkersMax);
  participants_[index] = std::make_unique<Participant>();
  // Release: a TryAdvance that counts the participant also sees it.
  count_.store(index + 1, std::memory_order_release);
  return *participants_[index];
}

void EpochDomain::Announce(Participant& self) {
  // Acquire: after announcing e, see what was unlinked before the step to e.
  const Epoch now = current_.load(std::memory_order_acquire);
  // Release: what was read before this point was read before TryAdvance sees `now`.
  self.announced.store(now, std::memory_order_release);
  FullFence();  // the announcement is visible before the next read: invariant, 1 and 3
}

Epoch EpochDomain::Seal() const {
  FullFence();  // the unlink is visible before the stamp is taken: invariant, 1
  return current_.load(std::memory_order_relaxed);
}

bool EpochDomain::TryAdvance() {
  // Acquire: what the last step acquired from participants is handed on by this one.
  Epoch now = current_.load(std::memory_order_acquire);
  FullFence();  // invariant, 3
  const size_t count = count_.load(std::memory_order_acquire);
  for (size_t i = 0; i < count; ++i) {
    // Acquire: pairs with the release in Announce and Leave; their reads are over.
    const Epoch announced = participants_[i]->announced.load(std::memory_order_acquire);
    if (announced != kOffline && announced != now) return false;
  }
  // Seq_cst: a place in the order of the fences; its release hands on what was acquired above.
  return current_.compare_exchange_strong(now, now + 1, std::memory_order_seq_cst,
                                          std::memory_order_relaxed);
}

}  // namespace larder::slab
