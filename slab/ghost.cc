#include "slab/ghost.h"

#include <algorithm>
#include <bit>

#include "slab/hash_index.h"

namespace larder::slab {

namespace {

constexpr uint64_t kLinesMin = HashIndex::kStripeCount;
// Grown when there are more items than this for each fingerprint.
constexpr uint64_t kItemsPerFingerprint = 2;
// The horizon: a key for so many items.
constexpr uint64_t kItemsPerRemembered = 2;

}  // namespace

Ghost::Ghost(MemoryBudget& budget, uint64_t bytes_max)
    : budget_(budget),
      memory_(Mapping::Reserve(std::bit_floor(std::max(bytes_max, kLinesMin * sizeof(Line))),
                               sizeof(Line))),
      lines_(reinterpret_cast<Line*>(memory_.Begin())) {
  if (lines_ == nullptr || !budget_.TryCharge(kLinesMin * sizeof(Line))) {
    lines_ = nullptr;
    return;
  }
  line_count_.store(kLinesMin, std::memory_order_relaxed);
}

void Ghost::RememberLocked(uint64_t hash) {
  Line& line = LineOf(hash);
  line.fingerprints[line.cursor] = FingerprintOf(hash);
  line.cursor = static_cast<uint16_t>(line.cursor + 1 == kSlotCount ? 0 : line.cursor + 1);
}

bool Ghost::TakeLocked(uint64_t hash) {
  const uint16_t wanted = FingerprintOf(hash);
  Line& line = LineOf(hash);
  // Relaxed: one horizon is as good as the next.
  const uint32_t horizon = horizon_.load(std::memory_order_relaxed);
  uint32_t place = line.cursor;
  for (uint32_t i = 0; i < horizon; ++i) {
    place = place == 0 ? kSlotCount - 1 : place - 1;  // from the latest backwards
    if (line.fingerprints[place] != wanted) continue;
    line.fingerprints[place] = 0;
    return true;
  }
  return false;
}

void Ghost::SetItemCount(uint64_t item_count) {
  item_count_ = item_count;
  const uint64_t per_line = item_count / kItemsPerRemembered / LineCount();
  horizon_.store(static_cast<uint32_t>(std::clamp<uint64_t>(per_line, 1, kSlotCount)),
                 std::memory_order_relaxed);
}

bool Ghost::IsSmall() const {
  return item_count_ > LineCount() * kSlotCount * kItemsPerFingerprint &&
         2 * Bytes() <= memory_.Bytes();
}

bool Ghost::Grow() {
  const uint64_t line_count = LineCount();
  if (!budget_.TryCharge(line_count * sizeof(Line))) return false;
  // Release: pairs with LineCount's acquire; the new lines are zeros from the system.
  line_count_.store(2 * line_count, std::memory_order_release);
  return true;
}

}  // namespace larder::slab
