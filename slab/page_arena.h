// slab/page_arena.h - all item memory as one stretch of pages, and the handles that name places
// in it.
//
// Why handles  A handle is 32 bits where a pointer is 64: list links and index entries cost half,
//              and stay true when the same bytes are mapped at another address. A handle counts
//              granules; the granule is 8 bytes up to 32 GiB and doubles with the arena, and every
//              chunk starts on one. Handle 0 names nothing: the first granule is number 1.
// Units        bytes; PageId is 0-based.
// Owner        PageArena owns the address space and each page's PageInfo. Who owns a page now is
//              written in its PageInfo.
// Threads      the arithmetic is pure. PageInfo fields say their own rule.
// Not here     which pages are free: page_pool.h. What lies in a page: slab_class.h.
#pragma once

#include <atomic>
#include <cstdint>

#include "slab/cache_config.h"
#include "slab/mapping.h"

namespace larder::slab {

using PageId = uint32_t;
using Handle = uint32_t;
inline constexpr Handle kNoHandle = 0;
// Of x86-64, and of arm64 with pages of 4 KiB.
inline constexpr uint64_t kHugePageBytes = 2 * kMiB;

// Two bytes that hardly ever change, so that those who read them at every operation share the line
// with nobody who writes. What changes all the time is apart (PageArena::FreeCount).
struct PageInfo {
  // 0: belongs to no class. Changes only while nobody can hold a handle into the page.
  std::atomic<uint8_t> class_id{0};
  // While set, chunks of the page that come free are kept out of use: page_release.h.
  // Written under the class's mutex; read without it where being late does no harm.
  std::atomic<bool> draining{false};
};

class PageArena {
 public:
  // Check IsReady() afterwards: false when the system refuses the address space.
  explicit PageArena(uint64_t bytes);

  [[nodiscard]] bool IsReady() const {
    return mapping_.Begin() != nullptr && info_memory_.Begin() != nullptr &&
           free_count_memory_.Begin() != nullptr;
  }
  [[nodiscard]] uint32_t PageCount() const { return page_count_; }
  [[nodiscard]] uint64_t Bytes() const { return mapping_.Bytes(); }
  [[nodiscard]] uint32_t GranuleBytes() const { return 1U << granule_shift_; }

  [[nodiscard]] char* At(Handle handle) const {
    return biased_begin_ + (static_cast<uint64_t>(handle) << granule_shift_);
  }
  // REQUIRES: `place` starts a granule of this arena.
  [[nodiscard]] Handle HandleOf(const void* place) const {
    return static_cast<Handle>((static_cast<const char*>(place) - biased_begin_) >> granule_shift_);
  }
  [[nodiscard]] PageId PageOf(Handle handle) const {
    return static_cast<PageId>(((static_cast<uint64_t>(handle) - 1) << granule_shift_) /
                               kPageBytes);
  }
  [[nodiscard]] char* PageBegin(PageId page) const {
    return mapping_.Begin() + static_cast<uint64_t>(page) * kPageBytes;
  }
  [[nodiscard]] PageInfo& Info(PageId page) const { return infos_[page]; }
  [[nodiscard]] PageInfo& InfoOf(Handle handle) const { return infos_[PageOf(handle)]; }

  // Chunks of the page on its class's free list or, while draining, set aside. Guarded by the
  // class's mutex.
  [[nodiscard]] uint32_t& FreeCount(PageId page) const { return free_counts_[page]; }

  // The page's memory goes back to the system.
  void Discard(PageId page) const;
  // Takes the memory of the first `page_count` pages now, in huge pages where they are to be had.
  // False when there is not enough.
  [[nodiscard]] bool Preallocate(PageId page_count) const;

 private:
  Mapping mapping_;
  uint32_t page_count_ = 0;
  uint32_t granule_shift_ = 3;
  char* biased_begin_ = nullptr;  // one granule before the first, so that handle 1 is the first
  Mapping info_memory_;           // zeros, which is what a page of no class has
  PageInfo* infos_ = nullptr;
  Mapping free_count_memory_;
  uint32_t* free_counts_ = nullptr;
};

}  // namespace larder::slab
