// slab/extent_bin.h - the slots of one size in the extent area: which are in use, which still have
// memory from their last use, which have none.
//
//     untouched --> lent <--> idle --> empty
//                     ^                  |
//                     '------------------'
//
//   lent   with an owner, who alone may look at its record
//   idle   in a list by the time it came back. Its first frames are resident still, so whoever
//   takes
//          it next finds warm memory. Taken from the newest end, released from the oldest
//   empty  without memory, in a stack: the last used is used first, and the area stays dense
//
// Record     16 bytes a slot, touched when the slot is first used; so it is never more than twice
//            what was once in use at the same time.
// Units      frames: the system's pages, 4 KiB on most machines. Slots count from 1; 0 is none.
// Threads    none of its own: extent_area.h has the lock. No system call, no allocation.
// Not here   memory, its charge and its release: extent_area.h
#pragma once

#include <cstdint>

namespace larder::slab {

// Zeros are an untouched slot.
struct ExtentSlot {
  // Frames that are charged: all of a lent slot's extent, those still resident of an idle one's.
  uint32_t frame_count;
  uint32_t newer;  // idle: its neighbours. Empty: `older` is the next in the stack.
  uint32_t older;  // In no list: `newer` is kInNoList
  uint32_t stamp;  // idle: when it came back, as a count of returns
};
static_assert(sizeof(ExtentSlot) == 16);
inline constexpr uint32_t kInNoList = UINT32_MAX;

class ExtentBin {
 public:
  ExtentBin() = default;
  // `slots`: the records, zeros, the one of slot 1 first. They outlive the bin.
  ExtentBin(ExtentSlot* slots, uint32_t slot_count) : slots_(slots), slot_count_(slot_count) {}

  [[nodiscard]] ExtentSlot& Slot(uint32_t slot) const { return slots_[slot - 1]; }
  [[nodiscard]] uint32_t SlotCount() const { return slot_count_; }
  // Slots up to this one have been used.
  [[nodiscard]] uint32_t TouchedCount() const { return touched_count_; }

  // --- slots without memory ------------------------------------------------------------------
  // The last that became empty. 0: there is none.
  [[nodiscard]] uint32_t TakeEmpty();
  // One that was never used. 0: all were.
  [[nodiscard]] uint32_t TakeUntouched();
  // REQUIRES, as of the other two that take a slot in: it is in no list.
  void GiveEmpty(uint32_t slot);

  // --- slots with memory from their last use -------------------------------------------------
  // Of the newest kLooksMax, the one whose memory comes closest to `frame_count` and exceeds it by
  // at most `surplus_max`. 0: none does.
  [[nodiscard]] uint32_t FindIdle(uint32_t frame_count, uint32_t surplus_max) const;
  void TakeIdle(uint32_t slot);
  [[nodiscard]] uint32_t OldestIdle() const { return oldest_idle_; }
  void GiveNewest(uint32_t slot, uint32_t stamp);
  // Back after a part of its memory was released. Keeps its stamp.
  void GiveOldest(uint32_t slot);

 private:
  // Sizes within a factor of two share a bin; a few looks find one that fits.
  static constexpr uint32_t kLooksMax = 8;

  ExtentSlot* slots_ = nullptr;
  uint32_t slot_count_ = 0;
  uint32_t touched_count_ = 0;
  uint32_t empty_ = 0;
  uint32_t newest_idle_ = 0;
  uint32_t oldest_idle_ = 0;
};

}  // namespace larder::slab
