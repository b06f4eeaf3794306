#include "slab/slab_set.h"

namespace larder::slab {

std::span<char> SlabSet::LongValuePlaceOf(const Item& item) const {
  char* const place =
      item.IsLarge() ? extents.At(item.Extent()) : const_cast<Item&>(item).InlinePlace();
  return {place, item.ValueBytes()};
}

}  // namespace larder::slab
