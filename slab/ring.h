// slab/ring.h - a queue in one stretch of memory: what comes and goes all the time takes nothing
// from the heap once the ring is as long as its longest queue.
//
// Units    elements.
// Threads  none of its own.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace larder::slab {

template <typename Element>
class Ring {
 public:
  [[nodiscard]] bool Empty() const { return count_ == 0; }
  [[nodiscard]] size_t Count() const { return count_; }
  // From the oldest, 0, to the latest. REQUIRES: place < Count()
  [[nodiscard]] Element& At(size_t place) { return elements_[(begin_ + place) & Mask()]; }
  void Push(Element element) {
    if (count_ == elements_.size()) [[unlikely]]
      Lengthen();
    ++count_;
    At(count_ - 1) = element;
  }
  // REQUIRES: !Empty()
  Element Pop() {
    const Element oldest = At(0);
    begin_ = (begin_ + 1) & Mask();
    --count_;
    return oldest;
  }
  // Gives back the memory as well, where there is more than a few elements take.
  void Clear() {
    begin_ = 0;
    count_ = 0;
    if (elements_.size() > kKeptMax) elements_ = {};
  }

 private:
  static constexpr size_t kLengthMin = 64;
  static constexpr size_t kKeptMax = 1024;

  [[nodiscard]] size_t Mask() const { return elements_.size() - 1; }  // lengths are powers of two
  [[gnu::noinline]] void Lengthen() {
    std::vector<Element> longer(elements_.empty() ? kLengthMin : 2 * elements_.size());
    for (size_t i = 0; i < count_; ++i) longer[i] = At(i);
    elements_ = std::move(longer);
    begin_ = 0;
  }

  std::vector<Element> elements_;
  size_t begin_ = 0;
  size_t count_ = 0;
};

}  // namespace larder::slab
