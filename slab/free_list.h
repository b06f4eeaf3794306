// slab/free_list.h - the free chunks of a class, linked through their headers.
//
// Doubly linked, so that the chunks of a page that is given up can be set aside one by one. Last
// in, first out: what came home last is most likely still in the processor's cache.
//
// Threads  the class's mutex (slab_class.h).
#pragma once

#include <cstdint>

#include "slab/item.h"

namespace larder::slab {

class FreeList {
 public:
  explicit FreeList(PageArena& arena) : arena_(arena) {}

  void Push(Item* chunk) {
    const Handle handle = arena_.HandleOf(chunk);
    chunk->SetPrevFree(kNoHandle);
    chunk->SetNextFree(head_);
    if (head_ != kNoHandle) At(head_)->SetPrevFree(handle);
    head_ = handle;
    ++count_;
  }
  void Remove(Item* chunk) {
    const Handle before = chunk->PrevFree();
    const Handle after = chunk->NextFree();
    if (before != kNoHandle) At(before)->SetNextFree(after);
    if (after != kNoHandle) At(after)->SetPrevFree(before);
    if (before == kNoHandle) head_ = after;
    --count_;
  }
  // REQUIRES: Count() > 0
  [[nodiscard]] Item* Pop() {
    Item* const chunk = At(head_);
    Remove(chunk);
    return chunk;
  }
  [[nodiscard]] uint64_t Count() const { return count_; }

 private:
  [[nodiscard]] Item* At(Handle handle) const { return reinterpret_cast<Item*>(arena_.At(handle)); }

  PageArena& arena_;
  Handle head_ = kNoHandle;
  uint64_t count_ = 0;
};

}  // namespace larder::slab
