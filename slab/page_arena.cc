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

PageArena::PageArena(uint64_t bytes)
    : mapping_(Mapping::Reserve(bytes / kPageBytes * kPageBytes, kHugePageBytes)),
      page_count_(static_cast<uint32_t>(mapping_.Bytes() / kPageBytes)),
      granule_shift_(GranuleShiftFor(mapping_.Bytes())),
      biased_begin_(mapping_.Begin() - GranuleBytes()),
      info_memory_(Mapping::Reserve(page_count_ * sizeof(PageInfo), alignof(PageInfo))),
      infos_(reinterpret_cast<PageInfo*>(info_memory_.Begin())),
      free_count_memory_(Mapping::Reserve(page_count_ * sizeof(uint32_t), alignof(uint32_t))),
      free_counts_(reinterpret_cast<uint32_t*>(free_count_memory_.Begin())) {
  // A huge page is eight of ours. Where the system gives them unasked (`always`), touching one
  // takes the memory of all, and khugepaged fills up again what Discard has given back: the limit
  // would not hold. With -L all of it is taken at the start and none is missing; see Preallocate.
  if (mapping_.Begin() != nullptr) mapping_.AvoidHugePages();
}

void PageArena::Discard(PageId page) const {
  Unpoison(PageBegin(page), kPageBytes);
  mapping_.Discard(static_cast<size_t>(page) * kPageBytes, kPageBytes);
}

bool PageArena::Preallocate(PageId page_count) const {
  mapping_.PreferHugePages();
  return mapping_.Populate(static_cast<size_t>(page_count) * kPageBytes);
}

}  // namespace larder::slab
