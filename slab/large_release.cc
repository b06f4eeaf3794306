// slab/large_release.cc - large items as a donor of pages: what their extents give up is charged to
// a purse as it comes free, and becomes a page when it is a page's worth.
#include <algorithm>

#include "slab/class_figures.h"
#include "slab/page_release.h"

namespace larder::slab {

namespace {

// Each round frees what is lacking still; another is needed when what was evicted is lent, or was
// taken again before it could be released.
constexpr uint32_t kExtentRoundsMax = 64;

}  // namespace

ClassFigures PageRelease::WhatLargeGive(const ClassFigures& figures, bool has_page) const {
  ClassFigures donor = figures;
  if (extents_tried_) donor.page_count = donor.free_chunk_count = 0;
  if (!has_page) return donor;
  donor.page_count = std::max<uint64_t>(donor.page_count, 1);
  donor.free_chunk_count = donor.chunks_per_page;
  return donor;
}

std::optional<PageRelease::Departure> PageRelease::StartEmptyPage(SlabClass& heads, Haste haste) {
  const MutexLock lock(heads.mutex);
  const std::optional<PageId> page = PickPageLocked(heads);
  if (!page) return std::nullopt;
  tried_[*page] = true;
  return StartLocked(heads, *page, haste);
}

PageRelease::Result PageRelease::MoveOneOfLarge(Worker& worker, uint32_t receiver, Haste haste,
                                                uint64_t pages_min) {
  SlabClass& heads = slabs_.Class(slabs_.LargeClassId());
  if (pages_min > 1) {
    const MutexLock lock(heads.mutex);
    if (FiguresOfLocked(slabs_, heads).page_count < pages_min) return Result::kNoPage;
  }
  if (std::optional<Departure> departure = StartEmptyPage(heads, haste)) {
    const Result result = Release(worker, *departure);
    if (result == Result::kMoved) GiveTo(heads.Id(), receiver, departure->page);
    return result;
  }
  if (extents_tried_) return Result::kNoPage;
  const Result result = MoveExtents(worker, receiver);
  extents_tried_ = result == Result::kHeld;
  return result;
}

// Without a receiver it is enough that the memory is the system's again: the limit may be passed,
// so that nothing can be charged.
PageRelease::Result PageRelease::MoveExtents(Worker& worker, uint32_t receiver) {
  Purse purse(slabs_.budget, kPageBytes);
  uint64_t lacking = kPageBytes;
  for (uint32_t round = 0; round < kExtentRoundsMax; ++round) {
    if (lacking == 0 && receiver != 0) lacking = purse.Fill();
    if (lacking == 0) break;
    const uint64_t released = slabs_.extents.ReleaseIdle(lacking);
    lacking -= std::min(lacking, released);
    const uint64_t unpaid = receiver != 0 ? purse.Fill() : kPageBytes;
    if (released > 0) continue;
    if (supply_.EvictLarge(worker, lacking) == 0) {
      if (unpaid > 0) return Result::kHeld;
      lacking = 0;
      break;
    }
    if (!supply_.Gather(worker)) return Result::kNobodyAnswers;
  }
  if (lacking > 0) return Result::kHeld;
  if (receiver == 0) {
    TellMoved(slabs_.LargeClassId(), receiver);
    return Result::kMoved;
  }
  const std::optional<PageId> page = slabs_.pool.TakePaid();
  if (!page) return Result::kHeld;
  purse.Spend();
  GiveTo(slabs_.LargeClassId(), receiver, *page);
  return Result::kMoved;
}

}  // namespace larder::slab
