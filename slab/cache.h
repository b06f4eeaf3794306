// slab/cache.h - the door of the engine: a bounded key-value cache shared by worker threads.
//
// Owner    Cache owns all memory. What Get lends points into the arena and stays whole and
//          unchanged until the same worker's next Quiesce, Offline, Reserve or store call.
// Threads  one Worker per thread; a Worker is used by its thread only, between Online and
//          Offline. Get takes no lock and waits for nobody, unless it meets an item that has
//          expired or was flushed and removes it. Stores and touches lock a stripe of the index.
// Errors   values. Nothing here throws after construction; Create reports why it cannot build.
// Units    exptimes on Clock's scale (expiry.h resolves what clients send).
// Not here wire text, statistics' key names (server/commands), how memory is laid out (item.h,
//          slab_class.h), how keys are found (hash_index.h), who is evicted (lru.h).
//
// A turn of a worker:
//     cache.Online(worker);            // may read from here on
//     ... Get, Store, Delete ...       // lent views are good
//     cache.Quiesce(worker);           // optional, between requests: lent views are gone
//     cache.Offline(worker);           // before waiting for events: holds up nobody
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "slab/cache_config.h"
#include "slab/cache_stats.h"
#include "slab/clock.h"

namespace larder::slab {

class CacheImpl;
class Worker;  // worker.h: one thread's private stock, counters and epoch
struct Item;   // item.h

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

// Keeps one large value's bytes where they are after the worker's turn, while the socket takes
// them. Release() from any thread, once; the chunk is reused after the last pin is gone.
class Pin {
 public:
  Pin() = default;
  explicit Pin(Item* item) : item_(item) {}
  explicit operator bool() const { return item_ != nullptr; }
  void Release();
  // The same pin as a plain pointer and back, for reply queues that know nothing of the engine.
  [[nodiscard]] void* ToOpaque() const { return item_; }
  static void ReleaseOpaque(void* opaque);

 private:
  Item* item_ = nullptr;
};

enum class StoreMode : uint8_t { kSet, kAdd, kReplace, kAppend, kPrepend, kCas };

// kNoMemory: only with evictions off, when the index has no room for the key.
enum class StoreStatus : uint8_t { kStored, kNotStored, kExists, kNotFound, kNoMemory };
struct StoreResult {
  StoreStatus status = StoreStatus::kNotStored;
  uint64_t cas = 0;  // of the stored item
};

enum class ReserveStatus : uint8_t { kReserved, kTooLarge, kNoMemory };

// A chunk taken for an item whose value is still to be written. Whoever holds it may fill
// Value(); Commit publishes it, destruction gives it back. Must die on its worker's thread
// or while that worker is off-line. It survives Quiesce and Offline; one that has to wait for its
// value over several turns asks Cache::KeepUnderWay.
class Reservation {
 public:
  Reservation() = default;
  Reservation(Reservation&& other) noexcept;
  Reservation& operator=(Reservation&& other) noexcept;
  ~Reservation() { Abandon(); }

  [[nodiscard]] ReserveStatus Status() const { return status_; }
  explicit operator bool() const { return item_ != nullptr; }
  [[nodiscard]] std::span<char> Value() const;
  void Abandon();

 private:
  friend class Cache;
  friend class CacheImpl;
  void StopKeeping();
  ReserveStatus status_ = ReserveStatus::kNoMemory;
  Item* item_ = nullptr;
  CacheImpl* cache_ = nullptr;
  Worker* worker_ = nullptr;
  uint32_t kept_bytes_ = 0;  // counted as under way
};

struct ItemSpec {
  std::string_view key;  // 1..kKeyBytesMax bytes; not kept
  uint32_t client_flags = 0;
  uint32_t expires_s = 0;
  uint32_t value_bytes = 0;
};

enum class RemoveStatus : uint8_t { kRemoved, kNotFound, kExists };

enum class ArithmeticStatus : uint8_t { kDone, kNotFound, kNonNumeric, kNoMemory, kExists };
struct ArithmeticResult {
  ArithmeticStatus status = ArithmeticStatus::kNotFound;
  uint64_t number = 0;
  uint64_t cas = 0;
};

class Cache {
 public:
  // `clock` must outlive the cache. On failure returns null and says why in `error`.
  static std::unique_ptr<Cache> Create(const CacheConfig& config, const Clock& clock,
                                       std::string* error);
  ~Cache();
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  // --- workers -------------------------------------------------------------------------------
  // Before its first turn each thread asks for a worker; it lives as long as the cache.
  Worker& AddWorker();
  void Online(Worker& worker);
  void Offline(Worker& worker);
  void Quiesce(Worker& worker);

  // --- reads ---------------------------------------------------------------------------------
  // Get counts get_hits and get_misses; the AndTouch form sets the expiry of a hit and counts
  // touch_hits and touch_misses instead.
  Hit Get(Worker& worker, std::string_view key);
  Hit GetAndTouch(Worker& worker, std::string_view key, uint32_t expires_s);
  // The same as Get of each key in order, with the cache misses overlapped.
  // REQUIRES: keys.size() == hits.size() <= kGroupKeysMax
  static constexpr size_t kGroupKeysMax = 32;
  void GetGroup(Worker& worker, std::span<const std::string_view> keys, std::span<Hit> hits);
  bool Touch(Worker& worker, std::string_view key, uint32_t expires_s);
  // REQUIRES: hit.value.size() >= kPinnableBytesMin, and the hit is still lent.
  Pin PinValue(const Hit& hit);

  // --- stores --------------------------------------------------------------------------------
  // Takes a chunk for the item, evicting if it must. kTooLarge: no class can ever hold it.
  // Counts store_too_large and store_no_memory. The worker may pass quiescent states.
  Reservation Reserve(Worker& worker, const ItemSpec& spec);
  // The value does not arrive in this turn. Chunks that wait for their values cannot be evicted,
  // so all together they may take half the limit at most, or three quarters for one of 64 KiB or
  // less: clients that never finish what they began leave the rest to everybody else. False: that
  // much is waiting already; the reservation is given back, nothing is counted.
  [[nodiscard]] bool KeepUnderWay(Reservation& reservation);
  // Publishes the filled reservation under its key. `cas`: only for StoreMode::kCas. The key's
  // old item, if any, serves readers until the new one is in its place.
  StoreResult Commit(Worker& worker, Reservation reservation, StoreMode mode, uint64_t cas = 0);
  // memcached deletes the old item when a `set` cannot get memory; nothing is counted.
  void DropForFailedSet(Worker& worker, std::string_view key);

  // --- changes -------------------------------------------------------------------------------
  // `cas` 0: any.
  RemoveStatus Remove(Worker& worker, std::string_view key, uint64_t cas = 0);
  // Adds (wrapping at 2^64) or subtracts (stopping at 0). The text never gets shorter: a
  // shorter number is padded on the right with spaces.
  ArithmeticResult Arithmetic(Worker& worker, std::string_view key, bool increment, uint64_t delta,
                              uint64_t cas = 0);

  // --- everything at once --------------------------------------------------------------------
  // All items stored before this call are gone; also cancels a pending delayed flush.
  void FlushNow(Worker& worker);
  // From second `at_s` on, all items stored up to and including that second are gone; the present
  // second counts as well. Replaces a pending flush. A second in the past is FlushNow.
  void FlushAt(Worker& worker, uint32_t at_s);
  void CancelFlush(Worker& worker);

  // --- watching ------------------------------------------------------------------------------
  [[nodiscard]] CacheStats Stats() const;
  // Counters start again from zero; figures that describe the present state stay.
  void ResetStats();

  // --- time ----------------------------------------------------------------------------------
  // Background work that is due at `now_s`; bounded. The server's maintainer thread calls it
  // several times a second, tests call it by hand. Moves the clock of delayed flushes.
  void Maintain(uint32_t now_s);

 private:
  explicit Cache(std::unique_ptr<CacheImpl> impl);
  std::unique_ptr<CacheImpl> impl_;
};

}  // namespace larder::slab
