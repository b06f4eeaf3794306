#include "slab/lru.h"

#include <algorithm>

#include "slab/cache_config.h"

namespace larder::slab {

Lru::Lru(PageArena& arena, const std::vector<PageId>& pages, uint32_t class_id,
         uint32_t chunk_bytes)
    : arena_(arena),
      pages_(pages),
      class_id_(class_id),
      chunk_bytes_(chunk_bytes),
      chunks_per_page_(kPageBytes / chunk_bytes) {}

Item* Lru::OnProbation(const ProbationEntry& entry) const {
  // A page that has left may be anything by now; one that came back has its chunks where they were.
  // Relaxed: pages leave and come under this class's mutex.
  const uint32_t class_id = arena_.InfoOf(entry.handle).class_id.load(std::memory_order_relaxed);
  if (class_id != class_id_) return nullptr;
  Item* const item = ItemAt(entry.handle);
  if (!item->IsIndexed()) return nullptr;
  const uint8_t state = item->state.load(std::memory_order_relaxed);
  return (state & item_state::kProtected) == 0 ? item : nullptr;
}

bool Lru::Protect(Item* item) {
  uint8_t state = item->state.load(std::memory_order_relaxed);
  while ((state & item_state::kIndexed) != 0) {
    // Relaxed: nothing but the bit is told. The exchange leaves alone what was removed meanwhile,
    // so that a chunk on its way home has no bits that its next life would not expect.
    if (item->state.compare_exchange_weak(state,
                                          static_cast<uint8_t>(state | item_state::kProtected),
                                          std::memory_order_relaxed)) {
      return true;
    }
  }
  return false;
}

bool Lru::Enter(const ProbationEntry& entry) {
  queue_.push_back(entry);
  if (queue_.size() <= LengthMax(ChunkCount()) + kBatchesSlack) return false;
  Item* const oldest = OnProbation(queue_.front());
  queue_.pop_front();
  return oldest != nullptr && Protect(oldest);
}

bool Lru::PopOldest(uint64_t length_min, Candidate* candidate) {
  while (queue_.size() > length_min) {
    const ProbationEntry entry = queue_.front();
    queue_.pop_front();
    *candidate = {OnProbation(entry), entry.hash_part};
    if (candidate->item != nullptr) return true;
  }
  return false;
}

uint32_t Lru::TakeOldest(std::span<Candidate> out, uint64_t used_count) {
  const uint64_t length_min = QueueTarget(used_count);
  uint32_t count = 0;
  while (count < out.size() && PopOldest(length_min, &out[count])) ++count;
  return count;
}

void Lru::ForgetPage(size_t index) {
  if (hand_page_ > index) {
    --hand_page_;
  } else if (hand_page_ == index) {
    hand_chunk_ = 0;
  }
}

Item* Lru::Advance() {
  if (hand_page_ >= pages_.size()) hand_page_ = 0;
  char* const chunk =
      arena_.PageBegin(pages_[hand_page_]) + static_cast<size_t>(hand_chunk_) * chunk_bytes_;
  if (++hand_chunk_ == chunks_per_page_) {
    hand_chunk_ = 0;
    ++hand_page_;
  }
  return reinterpret_cast<Item*>(chunk);
}

const Item* Lru::OldestOnProbation() const {
  for (size_t i = 0; i < queue_.size() && i < kPeeksMax; ++i) {
    if (const Item* item = OnProbation(queue_[i])) return item;
  }
  return nullptr;
}

const Item* Lru::NextProtected() const {
  if (hand_page_ >= pages_.size()) return nullptr;
  const char* const begin = arena_.PageBegin(pages_[hand_page_]);
  const uint32_t end = std::min(chunks_per_page_, hand_chunk_ + kPeeksMax);
  for (uint32_t i = hand_chunk_; i < end; ++i) {
    const auto* const item =
        reinterpret_cast<const Item*>(begin + static_cast<size_t>(i) * chunk_bytes_);
    if (!item->IsIndexed()) continue;
    if ((item->state.load(std::memory_order_relaxed) & item_state::kProtected) != 0) return item;
  }
  return nullptr;
}

}  // namespace larder::slab
