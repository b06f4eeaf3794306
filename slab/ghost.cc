#include "slab/ghost.h"

#include <algorithm>
#include <bit>

#include "slab/hash_index.h"

namespace larder::slab {

namespace {

constexpr uint64_t kLinesMin = HashIndex::kStripeCount;
// Grown when there are more items than this for each fingerprint.
constexpr uint64_t kItemsPerFingerprint = 2;

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
  for (uint16_t& fingerprint : LineOf(hash).fingerprints) {
    if (fingerprint != wanted) continue;
    fingerprint = 0;
    return true;
  }
  return false;
}

bool Ghost::IsSmallFor(uint64_t item_count) const {
  return item_count > LineCount() * kSlotCount * kItemsPerFingerprint &&
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
