#include "slab/class_figures.h"

#include <algorithm>

namespace larder::slab {

namespace {

ClassFigures LargeFiguresLocked(const SlabSet& slabs, const SlabClass& heads)
    REQUIRES_LOCK(heads.mutex) {
  const uint64_t used_bytes = slabs.extents.UsedBytes();
  const uint64_t idle_bytes = slabs.extents.IdleBytes();
  const uint64_t items_per_page =
      heads.UsedCountLocked() * kPageBytes / std::max<uint64_t>(used_bytes, kPageBytes);
  ClassFigures figures{.class_id = heads.Id(),
                       .page_count = (used_bytes + idle_bytes) / kPageBytes,
                       .chunks_per_page = std::max(1U, static_cast<uint32_t>(items_per_page))};
  if (used_bytes > 0) figures.page_count = std::max<uint64_t>(figures.page_count, 1);
  figures.free_chunk_count = idle_bytes / kPageBytes * figures.chunks_per_page;
  return figures;
}

}  // namespace

ClassFigures FiguresOfLocked(const SlabSet& slabs, const SlabClass& slab_class) {
  if (slab_class.Id() == slabs.LargeClassId()) return LargeFiguresLocked(slabs, slab_class);
  return {.class_id = slab_class.Id(),
          .page_count = slab_class.PageCountLocked(),
          .free_chunk_count = slab_class.FreeCountLocked(),
          .chunks_per_page = slab_class.ChunksPerPage()};
}

}  // namespace larder::slab
