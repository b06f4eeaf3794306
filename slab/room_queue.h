// slab/room_queue.h - very large values that wait for memory.
//
// What lacks up to kInLineBytesMax is freed while the client's request is carried out, and takes
// less than a millisecond (large_allocator.h). For more its request waits here, and one thread
// frees it behind the backs of all others (Cache::MakeRoom), for one at a time, the first in the
// queue, or if that has to wait for clients, the first result that need not (under_way.h):
//
//     request  Join -> SetWake -> Look: kWaiting, until woken -> Look: kReady or kRefused
//                                 Leave, at any time: the client has gone, and all it had is free
//     maker    First -> free, a step at a time, into its purse -> Grant or Refuse -> First ..
//
// Invariants  1. Whoever is granted room has the memory for the whole value, before a byte of that
//                is read or copied, and asks for no more afterwards. Who holds memory while he
//                waits for memory has all of a value and waits for its result; he passes those who
//                wait for him. So there is no deadlock.
//             2. Values under way have half the limit at most (Cache::KeepUnderWay): the maker
//                frees nothing before what it is for fits beside them.
//             3. An extent that was granted is either taken by Look or returned by Leave: both
//                under the lock, and each ends the entry.
//             4. No wake-up is lost: a request leaves its `wake` here before it looks.
//
// Progress    bytes freed, a value that is no longer under way, somebody served. As long as there
//             is any, all wait as long as they like. After kPatienceS without, the first is
//             refused, and so is whoever comes after it: what is left is lent, or under way with
//             clients that do not finish.
//
// Units       bytes; seconds on Clock's scale.
// Threads     any; First, Grant and Refuse the maker's. What is called to wake somebody is called
//             with the lock held: it does no more than that.
// Not here    how memory is freed: large_allocator.h. What the request does meanwhile:
//             server/commands/protocol_session.h
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>

#include "slab/cache_specs.h"
#include "slab/extent_area.h"
#include "slab/locks.h"

namespace larder::slab {

class RoomQueue {
 public:
  using Wake = std::function<void()>;
  struct Wanted {
    uint64_t number = 0;  // of the entry; never used again
    uint32_t value_bytes = 0;
    bool is_result = false;  // made of values that are there already
  };

  // What one request may lack at most without waiting.
  static constexpr uint64_t kInLineBytesMax = 1024 * 1024;
  // Each costs a chunk for its key and what the connection has received of it.
  static constexpr size_t kWaitingMax = 1024;
  static constexpr uint32_t kPatienceS = 30;

  // --- the request's side ----------------------------------------------------------------------
  // `head`: the item that waits for its value's memory. False: too many wait already.
  [[nodiscard]] bool Join(const Item* head, uint32_t value_bytes, bool is_result, uint32_t now_s);
  void SetWake(const Item* head, Wake wake);
  // kReady: `*extent` is the request's. The entry ends with kReady and kRefused.
  [[nodiscard]] RoomStatus Look(const Item* head, ExtentId* extent);
  // The extent that was granted meanwhile, or kNoExtent.
  [[nodiscard]] ExtentId Leave(const Item* head);

  // --- the maker's side ------------------------------------------------------------------------
  // Called when there is something to do. Before the first request.
  void SetWakeMaker(Wake wake);
  // The first of those who wait that `suits`, which is called with the lock held.
  using Suits = std::function<bool(const Wanted&)>;
  [[nodiscard]] std::optional<Wanted> First(const Suits& suits) const;
  // Whether it is neither answered nor gone.
  [[nodiscard]] bool IsWaiting(uint64_t number) const;
  // False: it has left; the extent is still the caller's.
  [[nodiscard]] bool Grant(uint64_t number, ExtentId extent);
  void Refuse(uint64_t number);
  void NoteProgress(uint32_t now_s) { progress_s_.store(now_s, std::memory_order_relaxed); }
  [[nodiscard]] bool HasPatience(uint32_t now_s) const {
    return now_s <= progress_s_.load(std::memory_order_relaxed) + kPatienceS;
  }

  // A value is no longer under way.
  void OnFinished(uint32_t now_s);
  // How many wait now, and how many ever did.
  [[nodiscard]] uint64_t Length() const { return length_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint64_t WaitCount() const { return wait_count_.load(std::memory_order_relaxed); }

 private:
  struct Entry {
    const Item* head = nullptr;
    Wanted wanted = {};
    RoomStatus status = RoomStatus::kWaiting;
    ExtentId extent = kNoExtent;
    Wake wake = {};
  };
  [[nodiscard]] std::list<Entry>::iterator FindLocked(const Item* head) REQUIRES_LOCK(mutex_);
  // Null: it has left.
  [[nodiscard]] Entry* FindLocked(uint64_t number) REQUIRES_LOCK(mutex_);
  void EndLocked(std::list<Entry>::iterator entry) REQUIRES_LOCK(mutex_);
  void AnswerLocked(Entry& entry, RoomStatus status) REQUIRES_LOCK(mutex_);

  mutable Mutex mutex_{LockRank::kRoomQueue};
  std::list<Entry> entries_ GUARDED_BY(mutex_);  // in the order in which they came
  uint64_t last_number_ GUARDED_BY(mutex_) = 0;
  Wake wake_maker_ GUARDED_BY(mutex_);
  // Relaxed, all three: figures, and a reason to look under the lock, which the maker does from
  // time to time anyway.
  std::atomic<uint64_t> length_{0};
  std::atomic<uint64_t> wait_count_{0};
  std::atomic<uint32_t> progress_s_{0};
};

}  // namespace larder::slab
