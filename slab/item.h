// slab/item.h - one item, byte by byte.
//
//   offset  bytes  field
//        0      4  next          handle: neighbour in its LRU list, or in the class's free list
//        4      4  prev          handle
//        8      4  access        2 bits count, 1 bit ever fetched, 29 bits second of last access
//       12      4  expires_s     second on Clock's scale, 0 never
//       16      4  shape         30 bits value bytes, 1 bit client flags present, 1 bit CAS present
//       20      1  key_bytes
//       21      1  state         who holds it, see below
//       22      2  generation    number of flushes before it was stored, modulo 2^16
//       24     [8  cas]          absent with -C
//           [4  client flags]    absent when 0
//              [4  pin count]    only where the value is large enough to be lent
//                     key        then the value, no gap, no terminator
//
// 32 bytes beside key and value, links and CAS included; 24 with -C. Links are handles (4 bytes
// instead of 8); lengths, counts and flags share words; what most items lack takes no room.
//
// A life     Everything but next, prev, access, expires_s, state, cas and the pin count is written
//            before the item is published in the index, and never again: readers read it without
//            a lock. An update is a new item. (`md` with I gives the same item a new cas.)
//
// State      Two parties can have hold of an item: the index (bit kIndexed) and one holder:
//              kNobody    a worker's own: being filled, or on its way back to the free chunks
//              kBatched   published, in the batch of new items of the worker that stored it
//              kListed    in an LRU list of its class
//              kIsolated  taken off its list by an evictor, which removes it from the index next
//            Whoever takes it out of the index (under its stripe's lock) clears kIndexed in one
//            atomic step and sees in the same step who the holder is. That settles who retires the
//            chunk, exactly once:
//              holder kListed            -> the remover, after unlinking it. Evictors pass it by.
//              holder kBatched/kIsolated -> the holder, who finds kIndexed gone at its next step.
//            Moves between holders (batched -> listed -> isolated) are compare-and-swap from a
//            state with kIndexed set, so a removed item stays with the holder the remover saw.
//
// Marks      The other bits of the state are what meta commands set and show (cache.h,
//            ItemDetails). They change under the stripe's lock while the item is in the index, and
//            stay as they are until the chunk is free: a reader that still looks at an item that
//            was just replaced sees the marks it had.
//
// Units      bytes, seconds on Clock's scale.
// Threads    next, prev, kProtected: the class's mutex. state: atomic, as told above. access and
//            pin count: any thread. expires_s, cas: written under the stripe's lock, read by any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "slab/cache.h"
#include "slab/page_arena.h"

namespace larder::slab {

// How often an item was read lately, saturating, and when last. One word, written only when it
// changes: a hot item's is written once a second.
class AccessMark {
 public:
  static constexpr uint32_t kCountMax = 3;

  AccessMark() = default;
  explicit AccessMark(uint32_t bits) : bits_(bits) {}
  static AccessMark Fresh(uint32_t now_s, uint32_t count) {
    return AccessMark(now_s << kSecondShift | count);
  }
  [[nodiscard]] AccessMark Touched(uint32_t now_s) const {
    const uint32_t count = Count() < kCountMax ? Count() + 1 : kCountMax;
    return AccessMark(now_s << kSecondShift | kFetchedBit | count);
  }
  // The same for an item that was in somebody's way, but not handed out.
  [[nodiscard]] AccessMark Met(uint32_t now_s) const {
    const AccessMark touched = Touched(now_s);
    return Fetched() ? touched : AccessMark(touched.bits_ & ~kFetchedBit);
  }
  [[nodiscard]] AccessMark WithCount(uint32_t count) const {
    return AccessMark((bits_ & ~kCountMask) | count);
  }
  [[nodiscard]] uint32_t Count() const { return bits_ & kCountMask; }
  [[nodiscard]] bool Fetched() const { return (bits_ & kFetchedBit) != 0; }
  [[nodiscard]] uint32_t Second() const { return bits_ >> kSecondShift; }
  [[nodiscard]] uint32_t Bits() const { return bits_; }

 private:
  static constexpr uint32_t kCountMask = 3;
  static constexpr uint32_t kFetchedBit = 4;
  static constexpr uint32_t kSecondShift = 3;
  uint32_t bits_ = 0;
};

enum class Holder : uint8_t { kNobody = 0, kBatched = 1, kListed = 2, kIsolated = 3 };

namespace item_state {
inline constexpr uint8_t kIndexed = 1U << 0;
inline constexpr uint8_t kHolderShift = 1;
inline constexpr uint8_t kHolderMask = 3U << kHolderShift;
inline constexpr uint8_t kProtected = 1U << 3;  // of the two lists of its class, which one
inline constexpr uint8_t kFree = 1U << 4;       // on the class's free list, or set aside
inline constexpr uint8_t kStale = 1U << 5;
inline constexpr uint8_t kTokenSent = 1U << 6;
inline constexpr uint8_t kBinaryKey = 1U << 7;
inline constexpr uint8_t kMarks = kStale | kTokenSent | kBinaryKey;

constexpr Holder HolderOf(uint8_t state) {
  return static_cast<Holder>((state & kHolderMask) >> kHolderShift);
}
constexpr uint8_t With(uint8_t state, Holder holder) {
  return static_cast<uint8_t>((state & ~kHolderMask) |
                              (static_cast<uint8_t>(holder) << kHolderShift));
}
}  // namespace item_state

struct Item {
  Handle next;
  Handle prev;
  std::atomic<uint32_t> access;
  std::atomic<uint32_t> expires_s;
  uint32_t shape;
  uint8_t key_bytes;
  std::atomic<uint8_t> state;
  uint16_t generation;

  static constexpr uint32_t kValueBytesMask = (1U << 30) - 1;
  static constexpr uint32_t kHasClientFlags = 1U << 30;
  static constexpr uint32_t kHasCas = 1U << 31;

  // What an item with these parts takes of a chunk.
  [[nodiscard]] static uint64_t BytesFor(size_t key_bytes, uint64_t value_bytes, bool has_flags,
                                         bool has_cas) {
    return sizeof(Item) + OptionalBytes(value_bytes, has_flags, has_cas) + key_bytes + value_bytes;
  }

  // Lays out a fresh item; the value's bytes are left to the caller.
  void Format(const ItemSpec& spec, bool has_cas) {
    next = kNoHandle;
    prev = kNoHandle;
    access.store(0, std::memory_order_relaxed);
    expires_s.store(spec.expires_s, std::memory_order_relaxed);
    shape =
        spec.value_bytes | (spec.client_flags != 0 ? kHasClientFlags : 0) | (has_cas ? kHasCas : 0);
    key_bytes = static_cast<uint8_t>(spec.key.size());
    generation = 0;
    state.store(spec.has_binary_key ? item_state::kBinaryKey : uint8_t{0},
                std::memory_order_relaxed);
    if (has_cas) SetCas(0);
    if (spec.client_flags != 0) std::memcpy(FlagsPlace(), &spec.client_flags, 4);
    if (IsPinnable()) new (PinsPlace()) std::atomic<uint32_t>(0);
    std::memcpy(KeyPlace(), spec.key.data(), spec.key.size());
  }

  [[nodiscard]] uint32_t ValueBytes() const { return shape & kValueBytesMask; }
  [[nodiscard]] bool HasClientFlags() const { return (shape & kHasClientFlags) != 0; }
  [[nodiscard]] bool HasCas() const { return (shape & kHasCas) != 0; }
  [[nodiscard]] bool IsPinnable() const { return ValueBytes() >= kPinnableBytesMin; }
  [[nodiscard]] uint64_t Bytes() const {
    return BytesFor(key_bytes, ValueBytes(), HasClientFlags(), HasCas());
  }

  [[nodiscard]] std::string_view Key() const { return {KeyPlace(), key_bytes}; }
  [[nodiscard]] std::string_view Value() const { return {KeyPlace() + key_bytes, ValueBytes()}; }
  [[nodiscard]] char* ValuePlace() { return KeyPlace() + key_bytes; }

  [[nodiscard]] uint64_t Cas() const {
    // Relaxed: an id that changes under a reader's eyes was right a moment ago.
    return HasCas() ? CasPlace().load(std::memory_order_relaxed) : 0;
  }
  void SetCas(uint64_t cas) {
    if (HasCas()) CasPlace().store(cas, std::memory_order_relaxed);
  }
  [[nodiscard]] uint32_t ClientFlags() const {
    uint32_t flags = 0;
    if (HasClientFlags()) std::memcpy(&flags, FlagsPlace(), sizeof(flags));
    return flags;
  }

  // REQUIRES: IsPinnable()
  [[nodiscard]] std::atomic<uint32_t>& Pins() {
    return *reinterpret_cast<std::atomic<uint32_t>*>(PinsPlace());
  }

  [[nodiscard]] AccessMark Access() const {
    // Relaxed: a mark lost or seen late costs at most a less good choice of victim.
    return AccessMark(access.load(std::memory_order_relaxed));
  }
  void SetAccess(AccessMark mark) { access.store(mark.Bits(), std::memory_order_relaxed); }

 private:
  static uint64_t OptionalBytes(uint64_t value_bytes, bool has_flags, bool has_cas) {
    return (has_cas ? 8U : 0U) + (has_flags ? 4U : 0U) +
           (value_bytes >= kPinnableBytesMin ? 4U : 0U);
  }
  [[nodiscard]] char* Base() { return reinterpret_cast<char*>(this); }
  [[nodiscard]] const char* Base() const { return reinterpret_cast<const char*>(this); }
  // Chunks start on granules of 8 bytes or more, and so does what follows the 24 bytes.
  [[nodiscard]] std::atomic_ref<uint64_t> CasPlace() const {
    auto* const place = const_cast<char*>(Base()) + sizeof(Item);
    return std::atomic_ref<uint64_t>(*reinterpret_cast<uint64_t*>(place));
  }
  [[nodiscard]] size_t FlagsOffset() const { return sizeof(Item) + (HasCas() ? 8 : 0); }
  [[nodiscard]] char* FlagsPlace() { return Base() + FlagsOffset(); }
  [[nodiscard]] const char* FlagsPlace() const { return Base() + FlagsOffset(); }
  [[nodiscard]] char* PinsPlace() { return FlagsPlace() + (HasClientFlags() ? 4 : 0); }
  [[nodiscard]] const char* KeyPlace() const {
    return Base() + sizeof(Item) + OptionalBytes(ValueBytes(), HasClientFlags(), HasCas());
  }
  [[nodiscard]] char* KeyPlace() {
    return const_cast<char*>(static_cast<const Item*>(this)->KeyPlace());
  }
};

static_assert(sizeof(Item) == 24 && alignof(Item) == 4);
static_assert(offsetof(Item, access) == 8 && offsetof(Item, expires_s) == 12);
static_assert(offsetof(Item, shape) == 16 && offsetof(Item, key_bytes) == 20);
static_assert(offsetof(Item, state) == 21 && offsetof(Item, generation) == 22);
static_assert(sizeof(std::atomic<uint32_t>) == 4, "pin count and access mark are plain words");

}  // namespace larder::slab
