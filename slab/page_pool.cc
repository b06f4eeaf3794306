#include "slab/page_pool.h"

#include <algorithm>

namespace larder::slab {

std::optional<PageId> PagePool::Take() {
  const MutexLock lock(mutex_);
  if (returned_.empty() && untouched_begin_ == arena_.PageCount()) return std::nullopt;
  if (!budget_.TryCharge(kPageBytes)) return std::nullopt;
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
  const uint64_t limit = budget_.LimitBytes();
  const uint64_t affordable = (limit - std::min(limit, budget_.UsedBytes())) / kPageBytes;
  return std::min(unlent, affordable);
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
