#include "slab/page_pool.h"

#include <algorithm>

namespace larder::slab {

std::optional<PageId> PagePool::Take() {
  const MutexLock lock(mutex_);
  if (IsEmptyLocked() || !budget_.TryCharge(kPageBytes)) return std::nullopt;
  return NextLocked();
}

std::optional<PageId> PagePool::TakePaid() {
  const MutexLock lock(mutex_);
  if (IsEmptyLocked()) return std::nullopt;
  return NextLocked();
}

PageId PagePool::NextLocked() {
  if (returned_.empty()) return untouched_begin_++;
  const PageId page = returned_.back();
  returned_.pop_back();
  return page;
}

void PagePool::Return(PageId page) {
  arena_.Discard(page);
  const MutexLock lock(mutex_);
  returned_.push_back(page);
  budget_.Return(kPageBytes);
}

void PagePool::NotePopulated(PageId end) {
  const MutexLock lock(mutex_);
  populated_end_ = end;
}

bool PagePool::Shed() {
  const MutexLock lock(mutex_);
  if (populated_end_ <= untouched_begin_) return false;
  const uint64_t unlent_bytes = uint64_t{populated_end_ - untouched_begin_} * kPageBytes;
  if (unlent_bytes <= budget_.FreeBytes()) return false;
  // With the lock: pages that are given back are the next to be lent when none is left below.
  const PageId aligned_end = (populated_end_ - 1) / kShedPages * kShedPages;
  const PageId end = std::max(aligned_end, untouched_begin_);
  while (populated_end_ > end) arena_.Discard(--populated_end_);
  return true;
}

uint64_t PagePool::FreeCount() const {
  // Asked at every refill of a full cache: without the lock, which all classes would share.
  if (budget_.FreeBytes() < kPageBytes) return 0;
  const MutexLock lock(mutex_);
  const uint64_t unlent = returned_.size() + arena_.PageCount() - untouched_begin_;
  return std::min(unlent, budget_.FreeBytes() / kPageBytes);
}

PageId PagePool::TouchedCount() const {
  const MutexLock lock(mutex_);
  return untouched_begin_;
}

uint64_t PagePool::LentCount() const {
  const MutexLock lock(mutex_);
  return untouched_begin_ - returned_.size();
}

}  // namespace larder::slab
