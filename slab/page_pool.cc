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

uint64_t PagePool::FreeCount() const {
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
