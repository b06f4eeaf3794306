// slab/large_concatenation.h - an append or a prepend whose result is large: made over many turns,
// so that nobody else waits for the copy.
//
// A result of 1 MiB is copied in 0.1 ms, into new memory in 0.7 ms; one of 1 GiB would stop all
// clients of the worker for half a second. What has more than kAtOnceBytesMax therefore goes by
// steps, one each turn. The bound is that of RoomQueue::kInLineBytesMax: what is larger may have to
// await its memory anyway.
//
//          .--------------------- another item is there by now -------------------.
//          v                                                                      |
//        look ------> room ------> copy, kSliceBytes a turn ------> look again, swing -> stored
//          |            |            held: the old item
//          |            '- none ever comes: in one go
//          '- no item: not stored, or what was sent is added; a small result: in one go
//
// Nothing is decided before the last turn: until then the result is memory that nobody can find.
// There the store is what Rewrite does (cache_rewrite.h), but that the bytes are copied already: it
// looks whether the item is still the same and alive, and swings the slot under the stripe's lock
// if it still is. So there is no answer, number or counter that a store in one go would not have
// given at that moment.
//
// Invariants  1. The bytes copied are those of the item that is replaced. A large old item is
// pinned
//                from the first slice to the swing: its head is not reused (large heads do not
//                move, item.h), so what is found under its address is itself; its extent stays,
//                whatever becomes of the item: replaced, evicted, flushed, a limit that is lowered.
//                Items never change but in expiry, cas and marks, and these are read at the end:
//                the cas by the look, the expiry under the lock.
//             2. An old item in a chunk (up to 64 KiB) may move or be replaced unnoticed, so it is
//                copied in the last turn, after the last look.
//             3. The result has the old item's generation: a flush_all takes it as it would have
//                taken that.
//             4. It comes to an end. Each new beginning is another store that went through; after
//                kRestartsMax of them, or if no memory is to be had by waiting, it is done in one
//                go.
//             5. What it holds is counted as under way, the sent value and the result each, and all
//                of it is free as soon as this is destroyed.
//
// Owner    the sent value, the result's memory and the pin.
// Threads  the worker's; destroyed there, or while it is off-line.
// Not here who calls it turn by turn: server/commands/protocol_session.h. The queue for memory:
//          room_queue.h
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "slab/cache.h"
#include "slab/cache_impl.h"
#include "slab/concatenation.h"
#include "slab/room_queue.h"

namespace larder::slab {

class LargeConcatenation {
 public:
  // A result of up to this size is made in one go.
  static constexpr uint32_t kAtOnceBytesMax = RoomQueue::kInLineBytesMax;
  static constexpr uint32_t kNoBytesMax = Item::kValueBytesMask;
  static constexpr size_t kSliceBytes = 256 * 1024;
  static constexpr uint32_t kRestartsMax = 4;

  // REQUIRES: ConcatenateOrVivify has just said that it is unfinished.
  LargeConcatenation(CacheImpl& cache, Reservation sent, const CommitSpec& spec);
  ~LargeConcatenation();
  LargeConcatenation(const LargeConcatenation&) = delete;
  LargeConcatenation& operator=(const LargeConcatenation&) = delete;

  // Once, before the first step.
  void SetWake(std::function<void()> wake) { wake_ = std::move(wake); }
  // kAwaitsRoom: again after `wake` was called. kUnfinished: again in a next turn.
  StoreResult Step(Worker& worker);
  [[nodiscard]] const Reservation& Sent() const { return sent_; }

 private:
  enum class Phase : uint8_t { kLook, kRoom, kCopy };

  StoreResult Look(Worker& worker);
  StoreResult AskForRoom(Worker& worker, Item& old);
  StoreResult TakeRoom(Worker& worker);
  StoreResult BeginCopy(Worker& worker);
  StoreResult Copy(Worker& worker);
  StoreResult Swing(Worker& worker);
  StoreResult BeginAgain();
  StoreResult DoInOneGo(Worker& worker);
  StoreResult Concatenate(Worker& worker, uint32_t at_once_bytes_max);
  // The live item, if its concatenation is one that `result_` has room for.
  [[nodiscard]] Item* FindFitting();

  CacheImpl& cache_;
  Reservation sent_;
  const CommitSpec spec_;
  const uint64_t hash_;
  Concatenation plan_;
  std::function<void()> wake_;
  Reservation result_;
  Item* old_ = nullptr;  // the one that is pinned
  Pin pin_;
  size_t old_copied_bytes_ = 0;
  size_t sent_copied_bytes_ = 0;
  uint32_t look_count_ = 0;
  Phase phase_ = Phase::kLook;
};

}  // namespace larder::slab
