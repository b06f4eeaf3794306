// slab/mapping.h - a stretch of address space reserved at once and filled with memory as it is
// first touched.
//
// Units    bytes, rounded up to the system's page.
// Owner    Mapping unmaps what it reserved.
// Errors   an empty Mapping (Begin() == nullptr) when the system refuses.
#pragma once

#include <cstddef>
#include <utility>

namespace larder::slab {

class Mapping {
 public:
  Mapping() = default;
  // `alignment`: a power of two. Untouched parts cost nothing and read as zeros.
  static Mapping Reserve(size_t bytes, size_t alignment);
  Mapping(Mapping&& other) noexcept
      : begin_(std::exchange(other.begin_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(begin_, other.begin_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Mapping();

  [[nodiscard]] char* Begin() const { return begin_; }
  [[nodiscard]] size_t Bytes() const { return bytes_; }

  // Gives the memory of [offset, offset + bytes) back to the system; it reads as zeros again.
  // Memory that is locked (mlockall) as well, from Linux 5.18 on; before, that is kept.
  void Discard(size_t offset, size_t bytes) const;
  // Asks for huge pages.
  void PreferHugePages() const;
  // Sees to it that no more memory is taken than is touched, even where the system gives everybody
  // huge pages.
  void AvoidHugePages() const;
  // Takes the memory of the first `bytes` now rather than when it is first needed. False when the
  // system has not enough.
  [[nodiscard]] bool Populate(size_t bytes) const;

 private:
  Mapping(char* begin, size_t bytes) : begin_(begin), bytes_(bytes) {}
  char* begin_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace larder::slab
