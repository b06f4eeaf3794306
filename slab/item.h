// slab/item.h - one item, byte by byte.
//
//   offset  bytes  field
//        0      4  access        1 bit read since it was last looked at, 1 bit ever fetched,
//                                30 bits second of last access
//        4      4  expires_s     second on Clock's scale, 0 never
//        8      4  shape         30 bits value bytes, 1 bit client flags present, 1 bit CAS present
//       12      1  key_bytes
//       13      1  state         who has it, see below
//       14      2  generation    number of flushes before it was stored, modulo 2^16
//       16     [8  cas]          absent with -C
//           [4  client flags]    absent when 0
//              [4  pin count]    only where the value is large enough to be lent
//                     key        then the value, no gap, no terminator; or else
//                     [4 extent]   where the value is too large for a chunk (extent_area.h)
//
// 24 bytes beside key and value, CAS included; 16 with -C. There are no list links: the order of
// eviction is that of addresses, and of a short queue of handles beside the items (lru.h). Lengths
// and marks share words; what most items lack takes no room. With 25-byte keys and 100-byte values
// that is a chunk of 152 bytes instead of the 160 that two handles as links would ask for.
//
// A life     Everything but access, expires_s, state, cas and the pin count is written before the
//            item is published in the index, and never again: readers read it without a lock. An
//            update is a new item. (`md` with I gives the same item a new cas.) An item whose page
//            is given up goes on in another chunk (relocation.h).
//
// State      kIndexed is set when the item is published and cleared when it is taken out of the
//            index, both under the stripe's lock. Whoever clears it retires the chunk; so that
//            happens exactly once, whether it is an update, a removal, an eviction or a page that
//            is emptied. Nobody else has to be asked: no list knows the item.
//            Evictors look at items without the stripe's lock. One that sees kIndexed (acquire,
//            pairs with the publisher's release) may read everything until its next quiescent
//            state, because the chunk is not reused before (epoch.h); whether the item is still in
//            the index it learns under the lock.
//            kProtected is set once, by an evictor, in a step that leaves alone what is no longer
//            indexed, or before the item is published.
//
//            kLarge, the value is in an extent, stays until the chunk is free and the extent with
//            it. Such an item's chunk is its head and never moves: pins are counted in it.
//
// Marks      The other bits of the state are what meta commands set and show (cache.h,
//            ItemDetails). They change under the stripe's lock while the item is in the index, and
//            stay as they are until the chunk is free: a reader that still looks at an item that
//            was just replaced sees the marks it had.
//
// Free       A chunk on its class's free list (kFree) has its links where expires_s and shape are:
//            not in access, which is the one word that may be written without looking again.
//
// Units      bytes, seconds on Clock's scale.
// Threads    state: atomic, as told above. access and pin count: any thread. expires_s, cas:
//            written under the stripe's lock, read by any. Links: the class's mutex.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "slab/cache.h"
#include "slab/extent_area.h"
#include "slab/page_arena.h"

namespace larder::slab {

// Whether an item was read lately, and when last. One word, written only when it changes: a hot
// item's is written once a second. One bit and not a count: simulated on Zipf, scans, loops and
// drifting popularity, counts of 2 or 3 miss as much on the average, and more where what was
// popular yesterday has to make room (a count of 3: 9 % more misses than a bit on a fast drift).
//
// Units  tenths of a second on Clock's scale, modulo 2^30: ages of up to 1.7 years are told apart.
class AccessMark {
 public:
  AccessMark() = default;
  explicit AccessMark(uint32_t bits) : bits_(bits) {}
  static AccessMark Fresh(uint32_t now_ds, bool was_read) {
    return AccessMark(now_ds << kTimeShift | (was_read ? kReadBit : 0));
  }
  [[nodiscard]] AccessMark Touched(uint32_t now_ds) const {
    if ((bits_ & kFlags) == kFlags && AgeTenths(now_ds) < kRewrittenAfter) return *this;
    return AccessMark(now_ds << kTimeShift | kFlags);
  }
  // The same for an item that was in somebody's way, but not handed out.
  [[nodiscard]] AccessMark Met(uint32_t now_ds) const {
    return AccessMark(now_ds << kTimeShift | (bits_ & kFetchedBit) | kReadBit);
  }
  [[nodiscard]] AccessMark Unread() const { return AccessMark(bits_ & ~kReadBit); }
  // Since it was stored, or since an evictor last looked.
  [[nodiscard]] bool WasRead() const { return (bits_ & kReadBit) != 0; }
  [[nodiscard]] bool Fetched() const { return (bits_ & kFetchedBit) != 0; }
  // 0 for a mark that was made after the caller looked at the clock.
  [[nodiscard]] uint32_t AgeTenths(uint32_t now_ds) const {
    const uint32_t age_ds = ((now_ds << kTimeShift) - bits_ + kFlags) >> kTimeShift;
    return age_ds > UINT32_MAX >> (kTimeShift + 1) ? 0 : age_ds;
  }
  [[nodiscard]] uint32_t Bits() const { return bits_; }

 private:
  static constexpr uint32_t kReadBit = 1;
  static constexpr uint32_t kFetchedBit = 2;
  static constexpr uint32_t kFlags = kReadBit | kFetchedBit;
  static constexpr uint32_t kTimeShift = 2;
  static constexpr uint32_t kRewrittenAfter = 10;
  uint32_t bits_ = 0;
};

namespace item_state {
inline constexpr uint8_t kIndexed = 1U << 0;
inline constexpr uint8_t kProtected = 1U << 1;  // past probation, see lru.h
inline constexpr uint8_t kFree = 1U << 2;       // on the class's free list, or set aside
inline constexpr uint8_t kStale = 1U << 3;
inline constexpr uint8_t kTokenSent = 1U << 4;
inline constexpr uint8_t kBinaryKey = 1U << 5;
inline constexpr uint8_t kLarge = 1U << 6;
inline constexpr uint8_t kMarks = kStale | kTokenSent | kBinaryKey;
}  // namespace item_state

struct Item {
  std::atomic<uint32_t> access;
  std::atomic<uint32_t> expires_s;
  uint32_t shape;
  uint8_t key_bytes;
  std::atomic<uint8_t> state;
  uint16_t generation;

  static constexpr uint32_t kValueBytesMask = (1U << 30) - 1;
  static constexpr uint32_t kHasClientFlags = 1U << 30;
  static constexpr uint32_t kHasCas = 1U << 31;

  // Chunks are no larger, where there are extents; what does not fit one is a large item. So the
  // values of large items are no smaller, whatever stands beside them.
  static constexpr uint32_t kChunkBytesMax = 64 * 1024;
  static constexpr uint32_t kLargeValueBytesMin = kChunkBytesMax - 288;

  // What an item with these parts takes of a chunk.
  [[nodiscard]] static uint64_t BytesFor(size_t key_bytes, uint64_t value_bytes, bool has_flags,
                                         bool has_cas) {
    return sizeof(Item) + OptionalBytes(value_bytes, has_flags, has_cas) + key_bytes + value_bytes;
  }

  // What of a large item is in its chunk, at most.
  static constexpr uint32_t HeadBytesMax() {
    return static_cast<uint32_t>(sizeof(Item) + 8 + 4 + 4 + kKeyBytesMax + sizeof(ExtentId));
  }

  // Lays out a fresh item; the value's bytes are left to the caller.
  void Format(const ItemSpec& spec, bool has_cas) {
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
  // After Format, before anybody else sees it: the value is in this extent.
  void SetExtent(ExtentId extent) {
    std::memcpy(InlinePlace(), &extent, sizeof(extent));
    state.fetch_or(item_state::kLarge, std::memory_order_relaxed);
  }

  // Makes this chunk, which nobody else can reach, a copy of `old` in all that never changes.
  // REQUIRES: chunks of one class.
  void CopyFixedParts(const Item& old) {
    shape = old.shape;
    key_bytes = old.key_bytes;
    generation = old.generation;
    if (HasClientFlags()) std::memcpy(FlagsPlace(), old.FlagsPlace(), 4);
    if (IsPinnable()) new (PinsPlace()) std::atomic<uint32_t>(0);  // pins stay where they are
    std::memcpy(KeyPlace(), old.KeyPlace(), size_t{key_bytes} + ValueBytes());
  }
  // The rest but the state. REQUIRES: CopyFixedParts(old); the stripe of the key is locked.
  void CopyChangingParts(const Item& old) {
    SetAccess(old.Access());
    expires_s.store(old.expires_s.load(std::memory_order_relaxed), std::memory_order_relaxed);
    SetCas(old.Cas());
  }

  [[nodiscard]] uint32_t ValueBytes() const { return shape & kValueBytesMask; }
  [[nodiscard]] bool HasClientFlags() const { return (shape & kHasClientFlags) != 0; }
  [[nodiscard]] bool HasCas() const { return (shape & kHasCas) != 0; }
  [[nodiscard]] bool IsPinnable() const { return ValueBytes() >= kPinnableBytesMin; }
  [[nodiscard]] uint64_t Bytes() const {
    return BytesFor(key_bytes, ValueBytes(), HasClientFlags(), HasCas());
  }

  [[nodiscard]] std::string_view Key() const { return {KeyPlace(), key_bytes}; }
  // Of a value's length alone most items are known not to be large.
  [[nodiscard]] bool IsLarge() const {
    // Relaxed: set before the item is published, and cleared when nobody has it any more.
    return ValueBytes() >= kLargeValueBytesMin &&
           (state.load(std::memory_order_relaxed) & item_state::kLarge) != 0;
  }
  // The value where it is in the chunk. REQUIRES: !IsLarge(). In doubt: SlabSet::ValueOf.
  [[nodiscard]] std::string_view InlineValue() const {
    return {KeyPlace() + key_bytes, ValueBytes()};
  }
  [[nodiscard]] char* InlinePlace() { return KeyPlace() + key_bytes; }
  // REQUIRES: IsLarge()
  [[nodiscard]] ExtentId Extent() const {
    ExtentId extent = kNoExtent;
    std::memcpy(&extent, KeyPlace() + key_bytes, sizeof(extent));
    return extent;
  }

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

  // --- while the chunk is free; under the class's mutex -----------------------------------------
  [[nodiscard]] Handle NextFree() const { return shape; }
  [[nodiscard]] Handle PrevFree() const { return expires_s.load(std::memory_order_relaxed); }
  void SetNextFree(Handle handle) { shape = handle; }
  void SetPrevFree(Handle handle) { expires_s.store(handle, std::memory_order_relaxed); }

  // When it is taken out of the index, under the stripe's lock. Returns the state until then.
  uint8_t ClearIndexed() {
    // Relaxed: who relies on the bit looks at it under the same lock; an evictor that still sees it
    // set learns there that it is late. An exchange, because evictors set another bit.
    return state.fetch_and(static_cast<uint8_t>(~item_state::kIndexed), std::memory_order_relaxed);
  }

  // True from publication until it is taken out of the index.
  [[nodiscard]] bool IsIndexed() const {
    // Acquire: pairs with the publisher's release, so that the rest of the item can be read.
    return (state.load(std::memory_order_acquire) & item_state::kIndexed) != 0;
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
  // Chunks start on granules of 8 bytes or more, and so does what follows the 16 bytes.
  [[nodiscard]] std::atomic_ref<uint64_t> CasPlace() const {
    auto* const place = const_cast<char*>(Base()) + sizeof(Item);
    return std::atomic_ref<uint64_t>(*reinterpret_cast<uint64_t*>(place));
  }
  static_assert(kHasCas >> 28 == 8 && kHasClientFlags >> 28 == 4);
  [[nodiscard]] size_t FlagsOffset() const { return sizeof(Item) + (HasCas() ? 8 : 0); }
  [[nodiscard]] char* FlagsPlace() { return Base() + FlagsOffset(); }
  [[nodiscard]] const char* FlagsPlace() const { return Base() + FlagsOffset(); }
  [[nodiscard]] char* PinsPlace() { return FlagsPlace() + (HasClientFlags() ? 4 : 0); }
  [[nodiscard]] const char* KeyPlace() const {
    // The bits that tell what is present are where the lengths would have theirs, shifted.
    const uint32_t present_bytes = shape >> 28 & (8 | 4);
    return Base() + sizeof(Item) + present_bytes + (IsPinnable() ? 4 : 0);
  }
  [[nodiscard]] char* KeyPlace() {
    return const_cast<char*>(static_cast<const Item*>(this)->KeyPlace());
  }
};

static_assert(sizeof(Item) == 16 && alignof(Item) == 4);
static_assert(offsetof(Item, access) == 0 && offsetof(Item, expires_s) == 4);
static_assert(offsetof(Item, shape) == 8 && offsetof(Item, key_bytes) == 12);
static_assert(offsetof(Item, state) == 13 && offsetof(Item, generation) == 14);
static_assert(sizeof(std::atomic<uint32_t>) == 4, "pin count and access mark are plain words");

}  // namespace larder::slab
