// slab/cache_specs.h - what the operations of a cache are asked for, and what they answer.
//
// Owner    plain values; views are lent, as cache.h says.
// Units    bytes; expiries on Clock's scale.
// Not here what the operations do: cache.h
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace larder::slab {

struct Item;  // item.h

inline constexpr uint32_t kKeyBytesMax = 250;

// Values from this size on are worth lending to the socket instead of copying.
inline constexpr uint32_t kPinnableBytesMin = 16 * 1024;

// A found item. Empty after a miss. Views are lent, see Owner above.
struct Hit {
  std::string_view key;
  std::string_view value;
  uint64_t cas = 0;
  uint32_t client_flags = 0;
  uint32_t expires_s = 0;
  const Item* item = nullptr;

  explicit operator bool() const { return item != nullptr; }
};

// What is known of an item beside its bytes. Marks that clients set and see through meta commands:
//   stale          invalidated, still served; whoever is given the token is to refresh it
//   token_is_sent  one client was told to refresh or fill it; the others are told so
//   has_binary_key the key came in base64 and is shown so
struct ItemDetails {
  uint32_t expires_s = 0;
  uint32_t last_access_s = 0;
  uint32_t class_id = 0;
  uint64_t item_bytes = 0;  // header, key and value, without the chunk's rounding
  bool was_fetched = false;
  bool is_stale = false;
  bool token_is_sent = false;
  bool has_binary_key = false;
};

// What `mg` asks beyond a Get. Expiries on Clock's scale.
struct MetaGetSpec {
  bool marks_access = true;  // off: neither the access mark nor the fetched bit changes
  // Whether a hit counts as one of get_hits, or with a touch of touch_hits. A miss always counts.
  bool counts_hit = true;
  bool takes_token = true;  // off: no token is given, whatever the item's state
  std::optional<uint32_t> touch_expires_s = std::nullopt;
  // A miss makes an empty item with this expiry, for the caller to fill: a hit with `created`.
  std::optional<uint32_t> vivify_expires_s = std::nullopt;
  std::optional<uint64_t> vivify_cas = std::nullopt;  // the created item's id, 0 included
  // An item that expires, and in less than this, gives its token to one caller.
  std::optional<uint32_t> recache_below_s = std::nullopt;
  bool recaches_before_touch = false;  // of recache and touch, which sees the other's expiry
};

struct MetaHit {
  Hit hit = {};              // empty: a miss, or no memory to make the item
  ItemDetails details = {};  // as they were before this request, but for expires_s: after its touch
  uint32_t expires_before_s = 0;  // before the touch
  bool created = false;
  bool won = false;  // this caller has the token

  explicit operator bool() const { return static_cast<bool>(hit); }
};

enum class StoreMode : uint8_t { kSet, kAdd, kReplace, kAppend, kPrepend, kCas };

// kNoMemory: only with evictions off, when the index has no room for the key.
// kUnfinished, kAwaitsRoom: to be gone on with, at once or when woken; see Cache::ContinueCommit.
enum class StoreStatus : uint8_t {
  kStored,
  kNotStored,
  kExists,
  kNotFound,
  kNoMemory,
  kUnfinished,
  kAwaitsRoom,
};
struct StoreResult {
  StoreStatus status = StoreStatus::kNotStored;
  uint64_t cas = 0;          // of the stored item
  uint32_t value_bytes = 0;  // of the stored item: with append and prepend, of the whole
};

// How a filled reservation is published.
struct CommitSpec {
  StoreMode mode = StoreMode::kSet;
  // kCas: the id the present item must have. kAppend, kPrepend: the same, but 0 is any.
  uint64_t cas = 0;
  std::optional<uint64_t> new_cas =
      std::nullopt;  // the stored item's id, instead of the next number
  // kCas: an item with a larger id than `cas` is replaced all the same, but the new one is stale
  // and keeps the old one's expiry and token.
  bool invalidates_older = false;
  // kAppend, kPrepend: where there is no item, what was sent is stored as it was reserved.
  bool vivifies = false;
};

// kAwaitsRoom: the item is begun, and its value has no memory yet, see Cache::TakeRoom.
enum class ReserveStatus : uint8_t { kReserved, kTooLarge, kNoMemory, kAwaitsRoom };

// How a reservation that awaits room gets on.
enum class RoomStatus : uint8_t {
  kReady,    // it has room: its value may be written
  kWaiting,  // ask again when woken
  kRefused   // there was no progress for too long: to be abandoned
};

struct ItemSpec {
  std::string_view key = {};  // 1..kKeyBytesMax bytes; not kept
  uint32_t client_flags = 0;
  uint32_t expires_s = 0;
  uint32_t value_bytes = 0;
  bool counts_at_once = true;  // as cmd_set, or else store_too_large or store_no_memory
  bool has_binary_key = false;
  bool may_wait = false;  // for room, where much is to be made: kAwaitsRoom; and see Commit
};

// kNoMemory: Hollow only.
enum class RemoveStatus : uint8_t { kRemoved, kNotFound, kExists, kNoMemory };

// What `md` does instead of removing.
struct InvalidateSpec {
  std::optional<uint64_t> compare_cas = std::nullopt;  // 0 is a number like any other
  std::optional<uint64_t> new_cas = std::nullopt;      // instead of the next number
  std::optional<uint32_t> expires_s = std::nullopt;    // none: as it was
};
struct HollowSpec {
  std::optional<uint64_t> compare_cas = std::nullopt;
  std::optional<uint64_t> new_cas =
      std::nullopt;  // none: as it was, or with becomes_stale the next number
  uint32_t expires_s = 0;
  uint32_t client_flags = 0;
  bool becomes_stale = false;
};

struct ArithmeticSpec {
  bool increment = true;
  uint64_t delta = 1;
  uint64_t cas = 0;                                        // 0: any
  std::optional<uint64_t> new_cas = std::nullopt;          // instead of the next number
  std::optional<uint32_t> touch_expires_s = std::nullopt;  // of an item that was there
  std::optional<uint32_t> vivify_expires_s =
      std::nullopt;  // a miss makes an item of `initial` with this expiry
  uint64_t initial = 0;
};

// kNoMemoryToCreate: there was no item, and none could be made.
enum class ArithmeticStatus : uint8_t {
  kDone,
  kNotFound,
  kNonNumeric,
  kNoMemory,
  kNoMemoryToCreate,
  kExists,
};
struct ArithmeticResult {
  ArithmeticStatus status = ArithmeticStatus::kNotFound;
  uint64_t number = 0;
  uint64_t cas = 0;
  uint32_t expires_before_s = 0;  // before the touch
  uint32_t expires_s = 0;
  bool created = false;
};

// A place in a walk over all items. Begins at the front; a plain value.
struct WalkCursor {
  uint64_t next_bucket = 0;
  uint64_t bucket_count = 0;  // when the walk began; 0: it has not
};

enum class MovePageStatus : uint8_t { kMoved, kNoSuchClass, kNoSparePage, kSameClass, kNotNow };

}  // namespace larder::slab
