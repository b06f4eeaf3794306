#include "slab/lru.h"

namespace larder::slab {

namespace {

Item* ItemAt(PageArena& arena, Handle handle) { return reinterpret_cast<Item*>(arena.At(handle)); }

}  // namespace

void LruList::PushHead(PageArena& arena, Item* item) {
  const Handle handle = arena.HandleOf(item);
  item->prev = kNoHandle;
  item->next = head_;
  if (head_ != kNoHandle) ItemAt(arena, head_)->prev = handle;
  head_ = handle;
  if (tail_ == kNoHandle) tail_ = handle;
  ++count_;
}

void LruList::Remove(PageArena& arena, Item* item) {
  if (item->prev != kNoHandle) ItemAt(arena, item->prev)->next = item->next;
  if (item->next != kNoHandle) ItemAt(arena, item->next)->prev = item->prev;
  const Handle handle = arena.HandleOf(item);
  if (head_ == handle) head_ = item->next;
  if (tail_ == handle) tail_ = item->prev;
  item->next = kNoHandle;
  item->prev = kNoHandle;
  --count_;
}

LruList& Lru::ListOf(const Item* item) {
  // Relaxed: kProtected changes under the class's mutex only, which the caller holds.
  const uint8_t state = item->state.load(std::memory_order_relaxed);
  return (state & item_state::kProtected) != 0 ? protected_ : probation_;
}

void Lru::Link(Item* item) { ListOf(item).PushHead(arena_, item); }

void Lru::Unlink(Item* item) { ListOf(item).Remove(arena_, item); }

LruList& Lru::ListToShrink() {
  const uint64_t total = probation_.Count() + protected_.Count();
  const bool probation_is_over = probation_.Count() * kProbationDivisor > total;
  return probation_is_over || protected_.Count() == 0 ? probation_ : protected_;
}

void Lru::MoveToHead(Item* item, LruList& from, LruList& to) {
  from.Remove(arena_, item);
  to.PushHead(arena_, item);
}

}  // namespace larder::slab
