#include "slab/size_classes.h"

#include <algorithm>

namespace larder::slab {

namespace {

uint32_t RoundUp(uint32_t bytes, uint32_t granule) {
  return (bytes + granule - 1) & ~(granule - 1);
}

// The largest chunk of which as many fit a page as of `bytes`.
uint32_t WidenToPage(uint32_t bytes, uint32_t granule) {
  const uint32_t per_page = kPageBytes / bytes;
  return kPageBytes / per_page & ~(granule - 1);
}

double FactorAt(std::span<const GrowthStep> growth, uint32_t bytes) {
  for (const GrowthStep& step : growth) {
    if (bytes <= step.up_to_bytes) return step.factor;
  }
  return growth.back().factor;
}

}  // namespace

std::vector<GrowthStep> GrowthFor(double factor, uint64_t limit_bytes) {
  if (factor != 0) return {{.up_to_bytes = kPageBytes, .factor = factor}};
  for (const SmallLimit& small : kSmallLimits) {
    if (limit_bytes < small.below_bytes)
      return {{.up_to_bytes = kPageBytes, .factor = small.factor}};
  }
  return {kOwnGrowth.begin(), kOwnGrowth.end()};
}

SizeClasses::SizeClasses(uint32_t smallest_bytes, std::span<const GrowthStep> growth,
                         uint32_t largest_bytes, uint32_t granule_bytes) {
  const uint32_t last =
      WidenToPage(std::min(RoundUp(largest_bytes, granule_bytes), kPageBytes), granule_bytes);
  auto wanted = static_cast<double>(smallest_bytes);
  while (count_ + 1 < kSizeCountMax && wanted < static_cast<double>(last)) {
    const uint32_t rounded = RoundUp(static_cast<uint32_t>(wanted), granule_bytes);
    if (rounded >= last) break;
    const uint32_t widened = WidenToPage(rounded, granule_bytes);
    if (widened >= last) break;
    if (widened > chunk_bytes_[count_]) chunk_bytes_[++count_] = widened;
    // A factor close to 1 must still lead to another size.
    wanted = std::max(widened * FactorAt(growth, widened), static_cast<double>(widened) + 1);
  }
  chunk_bytes_[++count_] = last;
  FillTable();
}

SizeClasses::SizeClasses(std::span<const uint32_t> chunk_sizes, uint32_t largest_bytes,
                         uint32_t granule_bytes) {
  const uint32_t last =
      WidenToPage(std::min(RoundUp(largest_bytes, granule_bytes), kPageBytes), granule_bytes);
  for (const uint32_t wanted : chunk_sizes) {
    const uint32_t rounded = RoundUp(wanted, granule_bytes);
    if (count_ + 1 == kSizeCountMax || rounded >= last) break;
    if (rounded > chunk_bytes_[count_]) chunk_bytes_[++count_] = rounded;
  }
  chunk_bytes_[++count_] = last;
  FillTable();
}

void SizeClasses::FillTable() {
  for (uint32_t unit = 0; unit < by_unit_.size(); ++unit) {
    by_unit_[unit] = static_cast<uint8_t>(Search(uint64_t{unit} * kUnitBytes));
  }
}

uint32_t SizeClasses::Search(uint64_t bytes) const {
  const auto* const begin = chunk_bytes_.begin() + 1;
  const auto* const end = begin + count_;
  const auto* const found = std::lower_bound(
      begin, end, bytes, [](uint32_t chunk, uint64_t wanted) { return chunk < wanted; });
  if (found == end) return 0;
  return static_cast<uint32_t>(found - begin) + 1;
}

}  // namespace larder::slab
