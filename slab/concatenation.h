// slab/concatenation.h - append, prepend: the old value and the sent one, in this order or the
// other. A plan of cache_rewrite.h.
//
// Owner    nothing: the sent item must outlive it, and its value stay where it is.
// Threads  the worker's that commits.
// Not here how a result is made over several turns: large_concatenation.h
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "slab/cache_specs.h"
#include "slab/item.h"
#include "slab/slab_set.h"

namespace larder::slab {

class Concatenation {
 public:
  Concatenation(const SlabSet& slabs, const Item& sent, const CommitSpec& spec)
      : slabs_(slabs),
        sent_(slabs.ValueOf(sent)),
        at_end_(spec.mode == StoreMode::kAppend),
        cas_(spec.cas) {}

  std::optional<uint32_t> ValueBytes(const Item& old) {
    refusal_ = StoreStatus::kExists;
    if (cas_ != 0 && old.Cas() != cas_) return std::nullopt;
    refusal_ = StoreStatus::kNotStored;
    const uint64_t total = uint64_t{old.ValueBytes()} + sent_.size();
    if (total > Item::kValueBytesMask) return std::nullopt;
    return static_cast<uint32_t>(total);
  }
  void Fill(const Item& old, std::span<char> value) const {
    FillOld(old, value);
    std::memcpy(SentPlace(value).data(), sent_.data(), sent_.size());
  }
  void FillOld(const Item& old, std::span<char> value) const {
    const std::string_view bytes = slabs_.ValueOf(old);
    std::memcpy(OldPlace(value).data(), bytes.data(), bytes.size());
  }

  [[nodiscard]] std::string_view Sent() const { return sent_; }
  // The parts of the result.
  [[nodiscard]] std::span<char> OldPlace(std::span<char> value) const {
    return at_end_ ? value.first(value.size() - sent_.size()) : value.subspan(sent_.size());
  }
  [[nodiscard]] std::span<char> SentPlace(std::span<char> value) const {
    return at_end_ ? value.last(sent_.size()) : value.first(sent_.size());
  }
  [[nodiscard]] StoreStatus Refusal() const { return refusal_; }

 private:
  const SlabSet& slabs_;
  const std::string_view sent_;
  const bool at_end_;
  const uint64_t cas_;  // the old item's; 0: any
  StoreStatus refusal_ = StoreStatus::kNotStored;
};

}  // namespace larder::slab
