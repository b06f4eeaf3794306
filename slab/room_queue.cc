#include "slab/room_queue.h"

#include <algorithm>
#include <utility>

namespace larder::slab {

std::list<RoomQueue::Entry>::iterator RoomQueue::FindLocked(const Item* head) {
  return std::find_if(entries_.begin(), entries_.end(),
                      [head](const Entry& entry) { return entry.head == head; });
}

RoomQueue::Entry* RoomQueue::FindLocked(uint64_t number) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [number](const Entry& entry) {
    return entry.wanted.number == number;
  });
  return found == entries_.end() ? nullptr : &*found;
}

void RoomQueue::EndLocked(std::list<Entry>::iterator entry) {
  entries_.erase(entry);
  length_.store(entries_.size(), std::memory_order_relaxed);
}

void RoomQueue::AnswerLocked(Entry& entry, RoomStatus status) {
  entry.status = status;
  if (entry.wake) entry.wake();
}

// --- the request's side --------------------------------------------------------------------------

bool RoomQueue::Join(const Item* head, uint32_t value_bytes, bool is_result, uint32_t now_s) {
  const MutexLock lock(mutex_);
  if (entries_.size() >= kWaitingMax) return false;
  if (entries_.empty()) NoteProgress(now_s);
  entries_.push_back({.head = head, .wanted = {++last_number_, value_bytes, is_result}});
  length_.store(entries_.size(), std::memory_order_relaxed);
  wait_count_.fetch_add(1, std::memory_order_relaxed);
  if (wake_maker_) wake_maker_();
  return true;
}

void RoomQueue::SetWake(const Item* head, Wake wake) {
  const MutexLock lock(mutex_);
  FindLocked(head)->wake = std::move(wake);
}

RoomStatus RoomQueue::Look(const Item* head, ExtentId* extent) {
  const MutexLock lock(mutex_);
  const auto entry = FindLocked(head);
  const RoomStatus status = entry->status;
  *extent = entry->extent;
  if (status != RoomStatus::kWaiting) EndLocked(entry);
  return status;
}

ExtentId RoomQueue::Leave(const Item* head) {
  const MutexLock lock(mutex_);
  const auto entry = FindLocked(head);
  if (entry == entries_.end()) return kNoExtent;
  const ExtentId extent = entry->extent;
  EndLocked(entry);
  if (wake_maker_) wake_maker_();
  return extent;
}

// --- the maker's side ----------------------------------------------------------------------------

void RoomQueue::SetWakeMaker(Wake wake) {
  const MutexLock lock(mutex_);
  wake_maker_ = std::move(wake);
}

std::optional<RoomQueue::Wanted> RoomQueue::First(const Suits& suits) const {
  const MutexLock lock(mutex_);
  for (const Entry& entry : entries_) {
    if (entry.status == RoomStatus::kWaiting && suits(entry.wanted)) return entry.wanted;
  }
  return std::nullopt;
}

bool RoomQueue::IsWaiting(uint64_t number) const {
  const MutexLock lock(mutex_);
  return std::any_of(entries_.begin(), entries_.end(), [number](const Entry& entry) {
    return entry.wanted.number == number && entry.status == RoomStatus::kWaiting;
  });
}

bool RoomQueue::Grant(uint64_t number, ExtentId extent) {
  const MutexLock lock(mutex_);
  Entry* const entry = FindLocked(number);
  if (entry == nullptr) return false;
  entry->extent = extent;
  AnswerLocked(*entry, RoomStatus::kReady);
  return true;
}

void RoomQueue::Refuse(uint64_t number) {
  const MutexLock lock(mutex_);
  if (Entry* const entry = FindLocked(number)) AnswerLocked(*entry, RoomStatus::kRefused);
}

void RoomQueue::OnFinished(uint32_t now_s) {
  if (Length() == 0) return;
  NoteProgress(now_s);
  const MutexLock lock(mutex_);
  if (wake_maker_) wake_maker_();
}

}  // namespace larder::slab
