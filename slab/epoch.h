// slab/epoch.h - tells when nobody can still be reading what was taken out of sight.
//
// Quiescent-state based reclamation. Readers announce, between two units of work, that they hold
// no reference: one store to a line of their own, nothing per read. The domain counts epochs; the
// count goes from e to e+1 only when every on-line participant has announced e.
//
// Invariant  A thing made unreachable before its retirer read epoch t (Seal) is held by nobody
//            once the epoch has reached t+2:
//            1. The retirer's unlink, a full fence, then its load of t. Whoever announces t+1 has
//               loaded t+1 and then fences, so it comes after the unlink in the fences' order and
//               cannot reach the thing any more.
//            2. The step from t+1 to t+2 needs every on-line participant at t+1. So each has
//               announced after the unlink, and what it held before, it has let go.
//            3. A participant seen off-line at that step, that comes on-line unseen, fences after
//               its announcement; TryAdvance fences before it looks. One of the two sees the other.
//            The two-step distance is needed: a participant may have announced t just before the
//            unlink and reach the thing afterwards.
//
// Threads    Enter, Quiesce, Leave: by the participant's thread. The rest: any.
// Not here   what is retired and where it waits: worker.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "slab/locks.h"

namespace larder::slab {

using Epoch = uint64_t;

// Threads that a cache can serve, its own maintainer included. Well above the server's largest -t.
inline constexpr size_t kWorkersMax = 2048;

class EpochDomain {
 public:
  // Its own cache line: written once a turn by its thread, read by whoever tries to advance.
  struct alignas(64) Participant {
    std::atomic<Epoch> announced{kOffline};
  };
  static constexpr Epoch kOffline = 0;

  // The participant lives as long as the domain.
  Participant& AddParticipant();

  void Enter(Participant& self) { Announce(self); }
  void Quiesce(Participant& self) { Announce(self); }
  void Leave(Participant& self) {
    // Release: pairs with TryAdvance's acquire, so that everything read in the turn was read
    // before the memory is given to somebody else.
    self.announced.store(kOffline, std::memory_order_release);
  }

  // The stamp for things made unreachable before this call.
  [[nodiscard]] Epoch Seal() const;

  // True when things sealed with `stamp` are held by nobody.
  [[nodiscard]] bool IsOver(Epoch stamp) const {
    // Acquire: pairs with TryAdvance's release and hands on what it acquired from participants.
    return current_.load(std::memory_order_acquire) >= stamp + kGraceSteps;
  }

  // One step, if every on-line participant has announced the present epoch.
  bool TryAdvance();

 private:
  static constexpr Epoch kGraceSteps = 2;

  void Announce(Participant& self);

  // Starts beyond kGraceSteps: a stamp of 0 is over from the beginning.
  alignas(64) std::atomic<Epoch> current_{kGraceSteps};
  mutable Mutex registry_mutex_{LockRank::kRegistry};
  // Grows only; TryAdvance walks it without the lock through count_.
  std::unique_ptr<std::unique_ptr<Participant>[]> participants_ =
      std::make_unique<std::unique_ptr<Participant>[]>(kWorkersMax);
  std::atomic<size_t> count_{0};
};

}  // namespace larder::slab
