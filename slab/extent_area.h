// slab/extent_area.h - lends large values their memory: to each value one extent, a contiguous
// range of addresses with memory behind as much of it as the value needs.
//
// Why not chains   A value that is larger than a slab chunk could be a chain of chunks. Contiguous
//                  bytes keep every user of a value as it is: one target for recv, one piece to
//                  send, one copy to append to, one pin. Rounding costs less than a frame, 4 KiB,
//                  instead of the unused part of the last chunk and a link in each. And what chains
//                  are there to avoid, fragmentation, does not come up: addresses are plenty, and
//                  memory comes and goes by the frame, so that no free range is ever too short.
//
// Address space    One reservation, cut into bins of slots: powers of two from 128 KiB to 1 GiB. An
//                  extent takes a slot of the smallest size that holds it, hence more than half of
//                  one (but in the first bin), and a bin with addresses for twice the memory there
//                  can be never runs out of slots. Where the system grants no reservation for all
//                  the memory that the limit may be raised to (reach.h), there is one for the limit
//                  it starts with, or for a part of it: a bin that then runs out borrows slots from
//                  larger ones. Where even little is refused, there are no extents: BytesMax() is
//                  0.
//
// Charge           Every frame is charged before it is touched and until the system has it back:
//                      budget's part = UsedBytes() + IdleBytes() + RecordBytes() >= resident memory
//                  Huge pages are kept out, which the system would fill in unasked.
//
// Given back       Touching memory anew takes 550 us a MiB (virtual machine, Linux 6.18), and
//                  returning it to the system 70 more. So GiveBack does neither: the extent becomes
//                  idle, charged still, and is the first to be taken again. Idle memory beyond
//                  IdleBytesMax() is released by the maintainer (Trim), and all of it by whoever
//                  needs the budget for something else (ReleaseIdle), oldest first, in steps of
//                  kReleaseBytesMax.
//
// Invariants   1. A frame of an extent's slot is resident only below the slot's frame_count: the
//                 count is raised before the owner is told the address, and lowered after the
//                 frames beyond it were released.
//              2. A slot is in one of its bin's lists, or lent, or in the hands of one thread that
//                 releases a part of its memory. Who takes it out of a list has it alone; the lock
//                 hands it on.
//              3. No system call is made while the lock is held. (A record is touched under it, at
//                 most one fault in 256 new slots.)
//
// Units        bytes; frames in records.
// Owner        ExtentArea owns the addresses; who has taken an extent, its bytes.
// Threads      any. The lock is held for a few list operations.
// Errors       Take returns kNoExtent, and has charged nothing, when the budget refuses or no slot
//              is left. Idle memory is not released for it: that is the caller's choice.
// Not here     slots and their lists: extent_bin.h. Who is evicted for a value: allocator.h
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "slab/cache_config.h"
#include "slab/extent_bin.h"
#include "slab/locks.h"
#include "slab/mapping.h"
#include "slab/memory_budget.h"

namespace larder::slab {

// Names an extent in 32 bits: 4 for the bin, 28 for the slot, which counts from 1.
using ExtentId = uint32_t;
inline constexpr ExtentId kNoExtent = 0;

class ExtentArea {
 public:
  // `reach_bytes`: the highest limit there can be.
  ExtentArea(uint64_t reach_bytes, MemoryBudget& budget);
  ExtentArea(const ExtentArea&) = delete;
  ExtentArea& operator=(const ExtentArea&) = delete;
  ~ExtentArea();

  // The largest extent there can be. 0: there are none.
  [[nodiscard]] uint64_t BytesMax() const { return bytes_max_; }
  // What Take charges at most for an extent of `bytes`: whole frames.
  [[nodiscard]] uint64_t ChargeFor(uint64_t bytes) const {
    return (bytes + frame_bytes_ - 1) / frame_bytes_ * frame_bytes_;
  }

  // An extent with room for `bytes`, charged. Its contents are anything. May release up to 1 MiB
  // that an idle extent has too much.
  [[nodiscard]] ExtentId Take(uint64_t bytes);
  // The same for whoever has charged `*purse_bytes` ahead, while room was made little by little: it
  // pays out of the purse, and from the budget only what that lacks. The purse is left alone when
  // nothing is taken.
  [[nodiscard]] ExtentId Take(uint64_t bytes, uint64_t* purse_bytes);
  // REQUIRES: nobody looks at its bytes any more.
  void GiveBack(ExtentId extent);

  // REQUIRES, as of BytesOf: the extent is lent, and the caller was told of it by its owner.
  [[nodiscard]] char* At(ExtentId extent) const {
    const uint64_t bin = BinOf(extent);
    return memory_.Begin() + bin * bin_bytes_ + (SlotOf(extent) - 1) * SlotBytes(bin);
  }
  // What is charged for it.
  [[nodiscard]] uint64_t BytesOf(ExtentId extent) const {
    return Bytes(RecordOf(extent).frame_count);
  }

  // Gives up to `bytes_max` of idle memory back to the system and the budget, but no more than
  // kReleaseBytesMax: 0.2 ms of work. Returns how much it was. 0: there is none, or other threads
  // are releasing it.
  uint64_t ReleaseIdle(uint64_t bytes_max);
  // The same for what is idle beyond IdleBytesMax(), or by how much the limit is passed.
  // 0: nothing is left to do.
  uint64_t Trim();

  // --- figures -------------------------------------------------------------------------------
  // Charged for extents that are lent.
  [[nodiscard]] uint64_t UsedBytes() const { return used_bytes_.load(std::memory_order_relaxed); }
  // Charged for memory that waits to be taken again or released.
  [[nodiscard]] uint64_t IdleBytes() const { return idle_bytes_.load(std::memory_order_relaxed); }
  // Charged for the records of slots: 16 bytes a slot, never returned.
  [[nodiscard]] uint64_t RecordBytes() const {
    return record_bytes_.load(std::memory_order_relaxed);
  }
  // How much idle memory is kept for a churn of values: a 64th of the limit, 64 MiB at most.
  [[nodiscard]] uint64_t IdleBytesMax() const;

  static constexpr uint64_t kReleaseBytesMax = 2 * kMiB;

 private:
  static constexpr uint32_t kSlotShiftMin = 17;
  static constexpr uint32_t kSlotShiftMax = 30;
  static constexpr uint32_t kBinCount = kSlotShiftMax - kSlotShiftMin + 1;
  static constexpr uint32_t kSlotBits = 28;
  static constexpr uint32_t kSlotCountMax = (1U << kSlotBits) - 1;
  static_assert(kBinCount <= 1U << (32 - kSlotBits));

  [[nodiscard]] static uint64_t SlotBytes(uint64_t bin) {
    return uint64_t{1} << (kSlotShiftMin + bin);
  }
  [[nodiscard]] static uint32_t BinOf(ExtentId extent) { return extent >> kSlotBits; }
  [[nodiscard]] static uint32_t SlotOf(ExtentId extent) { return extent & kSlotCountMax; }
  [[nodiscard]] static ExtentId IdOf(uint32_t bin, uint32_t slot) {
    return bin << kSlotBits | slot;
  }
  [[nodiscard]] static uint32_t BinFor(uint64_t bytes);
  [[nodiscard]] uint64_t Bytes(uint32_t frame_count) const { return frame_count * frame_bytes_; }
  [[nodiscard]] ExtentSlot& RecordOf(ExtentId extent) const {
    return records_[BinOf(extent)][SlotOf(extent) - 1];
  }

  [[nodiscard]] bool Reserve(uint64_t bin_bytes);
  [[nodiscard]] bool Pay(uint64_t bytes, uint64_t* purse_bytes);
  [[nodiscard]] ExtentId TakeIdle(uint32_t bin, uint32_t frame_count, uint64_t* purse_bytes);
  [[nodiscard]] ExtentId TakeEmpty(uint32_t bin, uint32_t frame_count, uint64_t* purse_bytes);
  [[nodiscard]] ExtentId SlotWithoutMemory(uint32_t bin);
  [[nodiscard]] uint32_t UntouchedSlotLocked(ExtentBin& bin) REQUIRES_LOCK(mutex_);
  [[nodiscard]] ExtentId TakeOldestIdle();
  // Releases the frames from `frame_count` on of an extent that this thread has alone, and their
  // charge.
  void Cut(ExtentId extent, uint32_t frame_count);

  MemoryBudget& budget_;
  const uint64_t frame_bytes_;
  uint64_t bin_bytes_ = 0;
  uint64_t bytes_max_ = 0;
  Mapping memory_;
  Mapping record_memory_;                         // zeros, which is what untouched slots have
  std::array<ExtentSlot*, kBinCount> records_{};  // by bin, the one of slot 1 first

  mutable Mutex mutex_{LockRank::kExtents};
  std::array<ExtentBin, kBinCount> bins_ GUARDED_BY(mutex_);
  uint32_t return_count_ GUARDED_BY(mutex_) = 0;

  // Relaxed, as the budget's own: numbers that guard nothing. The lock hands memory on.
  std::atomic<uint64_t> used_bytes_{0};
  std::atomic<uint64_t> idle_bytes_{0};
  std::atomic<uint64_t> record_bytes_{0};
};

}  // namespace larder::slab
