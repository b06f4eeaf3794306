#include "slab/extent_area.h"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cassert>

#include "slab/poison.h"

namespace larder::slab {

namespace {

// What Take may release in line of an idle extent that is longer than wanted.
constexpr uint64_t kSurplusBytesMax = kMiB;
// With fewer addresses than this it is not worth having extents.
constexpr uint64_t kBinBytesMin = 4 * kMiB;
// Behind an extent's last byte AddressSanitizer sees this much that is nobody's.
constexpr uint64_t kRedZoneBytes = 4096;

uint64_t RoundUp(uint64_t bytes, uint64_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

// --- addresses -----------------------------------------------------------------------------------

ExtentArea::ExtentArea(uint64_t reach_bytes, MemoryBudget& budget)
    : budget_(budget), frame_bytes_(static_cast<uint64_t>(sysconf(_SC_PAGESIZE))) {
  if (Reserve(2 * reach_bytes)) return;
  for (uint64_t bytes = 2 * budget.LimitBytes(); bytes >= kBinBytesMin; bytes /= 2) {
    if (Reserve(bytes)) return;
  }
  memory_ = {};
  record_memory_ = {};
}

ExtentArea::~ExtentArea() {
  // Nothing is left poisoned for whoever gets the addresses next.
  const MutexLock lock(mutex_);
  for (uint32_t bin = 0; bin < kBinCount; ++bin) {
    for (uint32_t slot = 1; slot <= bins_[bin].TouchedCount(); ++slot) {
      Unpoison(At(IdOf(bin, slot)), SlotBytes(bin));
    }
  }
}

bool ExtentArea::Reserve(uint64_t bin_bytes) {
  bin_bytes_ = RoundUp(bin_bytes, SlotBytes(0));
  std::array<uint32_t, kBinCount> slot_counts{};
  uint64_t record_bytes = 0;
  for (uint32_t bin = 0; bin < kBinCount; ++bin) {
    slot_counts[bin] =
        static_cast<uint32_t>(std::min<uint64_t>(bin_bytes_ / SlotBytes(bin), kSlotCountMax));
    record_bytes += RoundUp(slot_counts[bin] * sizeof(ExtentSlot), frame_bytes_);
  }
  memory_ = Mapping::Reserve(kBinCount * bin_bytes_, frame_bytes_);
  record_memory_ = Mapping::Reserve(record_bytes, frame_bytes_);
  if (memory_.Begin() == nullptr || record_memory_.Begin() == nullptr) return false;
  memory_.AvoidHugePages();
  char* records = record_memory_.Begin();
  const MutexLock lock(mutex_);
  for (uint32_t bin = 0; bin < kBinCount; ++bin) {
    records_[bin] = reinterpret_cast<ExtentSlot*>(records);
    bins_[bin] = ExtentBin(records_[bin], slot_counts[bin]);
    records += RoundUp(slot_counts[bin] * sizeof(ExtentSlot), frame_bytes_);
    if (slot_counts[bin] > 0) bytes_max_ = SlotBytes(bin);
  }
  return true;
}

uint32_t ExtentArea::BinFor(uint64_t bytes) {
  const auto shift = static_cast<uint32_t>(std::bit_width(bytes - 1));
  return std::max(shift, kSlotShiftMin) - kSlotShiftMin;
}

// --- taking --------------------------------------------------------------------------------------

ExtentId ExtentArea::Take(uint64_t bytes) {
  uint64_t no_purse = 0;
  return Take(bytes, &no_purse);
}

ExtentId ExtentArea::Take(uint64_t bytes, uint64_t* purse_bytes) {
  if (bytes == 0 || bytes > bytes_max_) return kNoExtent;
  const auto frame_count = static_cast<uint32_t>(ChargeFor(bytes) / frame_bytes_);
  const uint32_t bin = BinFor(bytes);
  ExtentId extent = TakeIdle(bin, frame_count, purse_bytes);
  if (extent == kNoExtent) extent = TakeEmpty(bin, frame_count, purse_bytes);
  if (extent == kNoExtent) return kNoExtent;
  Unpoison(At(extent), bytes);
  Poison(At(extent) + bytes, std::min(SlotBytes(BinOf(extent)) - bytes, kRedZoneBytes));
  return extent;
}

bool ExtentArea::Pay(uint64_t bytes, uint64_t* purse_bytes) {
  const uint64_t from_purse = std::min(bytes, *purse_bytes);
  const uint64_t rest = bytes - from_purse;
  if (rest > 0 && !budget_.TryCharge(rest)) return false;
  *purse_bytes -= from_purse;
  return true;
}

ExtentId ExtentArea::TakeIdle(uint32_t bin, uint32_t frame_count, uint64_t* purse_bytes) {
  ExtentId extent = kNoExtent;
  {
    const MutexLock lock(mutex_);
    const auto surplus_max = static_cast<uint32_t>(kSurplusBytesMax / frame_bytes_);
    const uint32_t slot = bins_[bin].FindIdle(frame_count, surplus_max);
    if (slot == 0) return kNoExtent;
    ExtentSlot& record = bins_[bin].Slot(slot);
    const uint32_t warm = record.frame_count;
    if (!Pay(Bytes(frame_count - std::min(warm, frame_count)), purse_bytes)) return kNoExtent;
    bins_[bin].TakeIdle(slot);
    record.frame_count = std::max(warm, frame_count);
    idle_bytes_.fetch_sub(Bytes(warm), std::memory_order_relaxed);
    used_bytes_.fetch_add(Bytes(record.frame_count), std::memory_order_relaxed);
    extent = IdOf(bin, slot);
  }
  const uint64_t surplus = BytesOf(extent) - Bytes(frame_count);
  if (surplus > 0) {
    Cut(extent, frame_count);
    used_bytes_.fetch_sub(surplus, std::memory_order_relaxed);
  }
  return extent;
}

ExtentId ExtentArea::TakeEmpty(uint32_t bin, uint32_t frame_count, uint64_t* purse_bytes) {
  uint64_t left_bytes = *purse_bytes;
  if (!Pay(Bytes(frame_count), &left_bytes)) return kNoExtent;
  const uint64_t from_purse = *purse_bytes - left_bytes;
  const ExtentId extent = SlotWithoutMemory(bin);
  if (extent == kNoExtent) {
    budget_.Return(Bytes(frame_count) - from_purse);
    return kNoExtent;
  }
  *purse_bytes = left_bytes;
  RecordOf(extent).frame_count = frame_count;
  used_bytes_.fetch_add(Bytes(frame_count), std::memory_order_relaxed);
  return extent;
}

ExtentId ExtentArea::SlotWithoutMemory(uint32_t bin) {
  const MutexLock lock(mutex_);
  for (; bin < kBinCount; ++bin) {
    uint32_t slot = bins_[bin].TakeEmpty();
    if (slot == 0) slot = UntouchedSlotLocked(bins_[bin]);
    if (slot != 0) return IdOf(bin, slot);
  }
  return kNoExtent;
}

uint32_t ExtentArea::UntouchedSlotLocked(ExtentBin& bin) {
  const uint64_t records_per_frame = frame_bytes_ / sizeof(ExtentSlot);
  const bool begins_frame = bin.TouchedCount() % records_per_frame == 0;
  if (!begins_frame || bin.TouchedCount() == bin.SlotCount()) return bin.TakeUntouched();
  if (!budget_.TryCharge(frame_bytes_)) return 0;
  record_bytes_.fetch_add(frame_bytes_, std::memory_order_relaxed);
  return bin.TakeUntouched();
}

// --- giving back ---------------------------------------------------------------------------------

void ExtentArea::GiveBack(ExtentId extent) {
  const uint64_t bytes = BytesOf(extent);
  Poison(At(extent), bytes);
  used_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  idle_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  const MutexLock lock(mutex_);
  bins_[BinOf(extent)].GiveNewest(SlotOf(extent), ++return_count_);
}

void ExtentArea::Cut(ExtentId extent, uint32_t frame_count) {
  const uint64_t begin = static_cast<uint64_t>(At(extent) - memory_.Begin());
  const uint64_t surplus = BytesOf(extent) - Bytes(frame_count);
  memory_.Discard(begin + Bytes(frame_count), surplus);
  RecordOf(extent).frame_count = frame_count;
  budget_.Return(surplus);
}

ExtentId ExtentArea::TakeOldestIdle() {
  const MutexLock lock(mutex_);
  ExtentId oldest = kNoExtent;
  uint32_t oldest_age = 0;
  for (uint32_t bin = 0; bin < kBinCount; ++bin) {
    const uint32_t slot = bins_[bin].OldestIdle();
    if (slot == 0) continue;
    // In returns since; right across the count's wrap.
    const uint32_t age = return_count_ - bins_[bin].Slot(slot).stamp;
    if (oldest != kNoExtent && age <= oldest_age) continue;
    oldest = IdOf(bin, slot);
    oldest_age = age;
  }
  if (oldest != kNoExtent) bins_[BinOf(oldest)].TakeIdle(SlotOf(oldest));
  return oldest;
}

uint64_t ExtentArea::ReleaseIdle(uint64_t bytes_max) {
  const uint64_t wanted = ChargeFor(std::min(bytes_max, kReleaseBytesMax));
  uint64_t released = 0;
  while (released < wanted) {  // each round releases a frame at least
    const ExtentId extent = TakeOldestIdle();
    if (extent == kNoExtent) break;
    const uint64_t bytes = BytesOf(extent);
    const uint64_t kept = bytes - std::min(bytes, wanted - released);
    Cut(extent, static_cast<uint32_t>(kept / frame_bytes_));
    idle_bytes_.fetch_sub(bytes - kept, std::memory_order_relaxed);
    released += bytes - kept;
    const MutexLock lock(mutex_);
    ExtentBin& bin = bins_[BinOf(extent)];
    if (kept > 0) {
      bin.GiveOldest(SlotOf(extent));
    } else {
      bin.GiveEmpty(SlotOf(extent));
    }
  }
  return released;
}

uint64_t ExtentArea::IdleBytesMax() const {
  constexpr uint64_t kPartOfLimit = 64;
  constexpr uint64_t kBytesMax = 64 * kMiB;
  return std::min(budget_.LimitBytes() / kPartOfLimit, kBytesMax);
}

uint64_t ExtentArea::Trim() {
  const uint64_t idle = IdleBytes();
  const uint64_t beyond = idle - std::min(idle, IdleBytesMax());
  return ReleaseIdle(std::max(beyond, budget_.ExcessBytes()));
}

}  // namespace larder::slab
