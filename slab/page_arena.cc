#include "slab/page_arena.h"

#include "slab/poison.h"

namespace larder::slab {

namespace {

constexpr uint64_t kHandleCountMax = 0xFFFFFFFF;  // all but 0

uint32_t GranuleShiftFor(uint64_t bytes) {
  uint32_t shift = 3;
  while ((bytes >> shift) > kHandleCountMax) ++shift;
  return shift;
}

}  // namespace

Mapping PageArena::ReserveReach(uint64_t bytes_min) {
  constexpr size_t kAlignment = 2 * size_t{kPageBytes};  // of a huge page
  if (bytes_min < kReachBytes) {
    if (Mapping whole = Mapping::Reserve(kReachBytes, kAlignment); whole.Begin() != nullptr) {
      return whole;
    }
  }
  return Mapping::Reserve(bytes_min / kPageBytes * kPageBytes, kAlignment);
}

PageArena::PageArena(uint64_t bytes_min)
    : mapping_(ReserveReach(bytes_min)),
      page_count_(static_cast<uint32_t>(mapping_.Bytes() / kPageBytes)),
      granule_shift_(GranuleShiftFor(mapping_.Bytes())),
      biased_begin_(mapping_.Begin() - GranuleBytes()),
      info_memory_(Mapping::Reserve(page_count_ * sizeof(PageInfo), alignof(PageInfo))),
      infos_(reinterpret_cast<PageInfo*>(info_memory_.Begin())) {}

void PageArena::Discard(PageId page) const {
  Unpoison(PageBegin(page), kPageBytes);
  mapping_.Discard(static_cast<size_t>(page) * kPageBytes, kPageBytes);
}

bool PageArena::Preallocate(PageId page_count) const {
  mapping_.PreferHugePages();
  return mapping_.Populate(static_cast<size_t>(page_count) * kPageBytes);
}

}  // namespace larder::slab
