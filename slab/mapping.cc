#include "slab/mapping.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace larder::slab {

Mapping Mapping::Reserve(size_t bytes, size_t alignment) {
  const auto system_page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  bytes = (bytes + system_page - 1) / system_page * system_page;
  const size_t reserved = bytes + alignment;
  void* raw = mmap(nullptr, reserved, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (raw == MAP_FAILED) return {};
  // Cut what sticks out on both sides of the aligned stretch.
  char* begin = static_cast<char*>(raw);
  const size_t head = (alignment - reinterpret_cast<uintptr_t>(begin) % alignment) % alignment;
  if (head > 0) munmap(begin, head);
  if (reserved - head > bytes) munmap(begin + head + bytes, reserved - head - bytes);
  return {begin + head, bytes};
}

Mapping::~Mapping() {
  if (begin_ != nullptr) munmap(begin_, bytes_);
}

void Mapping::Discard(size_t offset, size_t bytes) const {
  if (madvise(begin_ + offset, bytes, MADV_DONTNEED) == 0) return;
  madvise(begin_ + offset, bytes, MADV_DONTNEED_LOCKED);
}

void Mapping::PreferHugePages() const { madvise(begin_, bytes_, MADV_HUGEPAGE); }

void Mapping::AvoidHugePages() const { madvise(begin_, bytes_, MADV_NOHUGEPAGE); }

bool Mapping::Populate(size_t bytes) const {
  return madvise(begin_, bytes, MADV_POPULATE_WRITE) == 0;
}

}  // namespace larder::slab
