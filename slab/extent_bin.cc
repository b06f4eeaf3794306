#include "slab/extent_bin.h"

#include <algorithm>
#include <cassert>

namespace larder::slab {

// --- slots without memory ------------------------------------------------------------------------

uint32_t ExtentBin::TakeEmpty() {
  const uint32_t slot = empty_;
  if (slot == 0) return 0;
  empty_ = Slot(slot).older;
  Slot(slot).newer = kInNoList;
  return slot;
}

uint32_t ExtentBin::TakeUntouched() {
  if (touched_count_ == slot_count_) return 0;
  Slot(++touched_count_).newer = kInNoList;
  return touched_count_;
}

void ExtentBin::GiveEmpty(uint32_t slot) {
  assert(Slot(slot).newer == kInNoList && Slot(slot).frame_count == 0);
  Slot(slot).newer = 0;
  Slot(slot).older = empty_;
  empty_ = slot;
}

// --- slots with memory from their last use -------------------------------------------------------

uint32_t ExtentBin::FindIdle(uint32_t frame_count, uint32_t surplus_max) const {
  uint32_t best = 0;
  uint32_t best_distance = UINT32_MAX;
  uint32_t slot = newest_idle_;
  for (uint32_t look = 0; look < kLooksMax && slot != 0 && best_distance != 0; ++look) {
    const uint32_t warm = Slot(slot).frame_count;
    const uint32_t distance = std::max(warm, frame_count) - std::min(warm, frame_count);
    if (distance < best_distance && (warm <= frame_count || distance <= surplus_max)) {
      best = slot;
      best_distance = distance;
    }
    slot = Slot(slot).older;
  }
  return best;
}

void ExtentBin::TakeIdle(uint32_t slot) {
  ExtentSlot& taken = Slot(slot);
  (taken.newer != 0 ? Slot(taken.newer).older : newest_idle_) = taken.older;
  (taken.older != 0 ? Slot(taken.older).newer : oldest_idle_) = taken.newer;
  taken.newer = kInNoList;
}

void ExtentBin::GiveNewest(uint32_t slot, uint32_t stamp) {
  ExtentSlot& given = Slot(slot);
  assert(given.newer == kInNoList && given.frame_count != 0);
  given.stamp = stamp;
  given.newer = 0;
  given.older = newest_idle_;
  (newest_idle_ != 0 ? Slot(newest_idle_).newer : oldest_idle_) = slot;
  newest_idle_ = slot;
}

void ExtentBin::GiveOldest(uint32_t slot) {
  ExtentSlot& given = Slot(slot);
  assert(given.newer == kInNoList && given.frame_count != 0);
  given.newer = oldest_idle_;
  given.older = 0;
  (oldest_idle_ != 0 ? Slot(oldest_idle_).older : newest_idle_) = slot;
  oldest_idle_ = slot;
}

}  // namespace larder::slab
