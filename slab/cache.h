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
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "slab/cache_config.h"
#include "slab/cache_specs.h"
#include "slab/cache_stats.h"
#include "slab/clock.h"

namespace larder::slab {

class CacheImpl;
class LargeConcatenation;  // large_concatenation.h
class Worker;              // worker.h: one thread's private stock, counters and epoch
struct Item;               // item.h

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

// A chunk taken for an item whose value is still to be written. Whoever holds it may fill
// Value(), unless it awaits room; Commit publishes it, destruction gives it back. Must die on its
// worker's thread or while that worker is off-line. It survives Quiesce and Offline; one that has
// to wait for its value over several turns asks Cache::KeepUnderWay.
class Reservation {
 public:
  Reservation() = default;
  Reservation(Reservation&& other) noexcept;
  Reservation& operator=(Reservation&& other) noexcept;
  ~Reservation() { Abandon(); }

  [[nodiscard]] ReserveStatus Status() const { return status_; }
  explicit operator bool() const { return item_ != nullptr; }
  [[nodiscard]] std::span<char> Value() const;
  // The item as it is so far, for those who are told of it. Lends: until it is committed or given
  // back.
  [[nodiscard]] Hit View() const;
  void Abandon();

 private:
  friend class Cache;
  friend class CacheImpl;
  friend class LargeConcatenation;
  void StopKeeping();
  // Counts as under way. False: there is too much already.
  [[nodiscard]] bool Keep(bool is_awaited);
  // What is counted.
  [[nodiscard]] uint64_t TakenBytes() const;
  void TakeExtent(uint32_t extent);  // ExtentId
  // A large value's memory at once, or else a place in the queue for it.
  void TakeOrAwaitRoom();
  void LeaveQueue();
  ReserveStatus status_ = ReserveStatus::kNoMemory;
  Item* item_ = nullptr;
  CacheImpl* cache_ = nullptr;
  Worker* worker_ = nullptr;
  uint64_t hash_ = 0;        // of its key
  uint64_t kept_bytes_ = 0;  // counted as under way
  bool may_wait_ = false;
  bool is_result_ = false;  // filled by the cache itself, see large_concatenation.h
};

// An append or a prepend whose result is so large that it is made over several turns. Destroyed, it
// gives everything back, and the item is as it was; like a reservation, it must die on its worker's
// thread or while that worker is off-line.
struct AbandonStore {
  void operator()(LargeConcatenation* begun) const;
};
using UnfinishedStore = std::unique_ptr<LargeConcatenation, AbandonStore>;

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

  // Whom events of this worker's operations are told of as: the descriptor of the client's socket.
  void SetOrigin(Worker& worker, int32_t origin);

  // --- reads ---------------------------------------------------------------------------------
  // Get counts get_hits and get_misses; the AndTouch form sets the expiry of a hit and counts
  // touch_hits and touch_misses instead.
  Hit Get(Worker& worker, std::string_view key);
  Hit GetAndTouch(Worker& worker, std::string_view key, uint32_t expires_s);
  // Start loading what an operation on `key` will read first, and what it will read next once that
  // has come, under the hash that the first returned. Hints, from any thread, on-line or not:
  // nothing is counted or changed. The hash is never 0.
  [[nodiscard]] uint64_t LookAhead(std::string_view key) const;
  void LookCloser(uint64_t hash) const;
  // The same as Get of each key in order, with the cache misses overlapped.
  // REQUIRES: keys.size() == hits.size() <= kGroupKeysMax
  static constexpr size_t kGroupKeysMax = 32;
  void GetGroup(Worker& worker, std::span<const std::string_view> keys, std::span<Hit> hits);
  bool Touch(Worker& worker, std::string_view key, uint32_t expires_s);
  MetaHit MetaGet(Worker& worker, std::string_view key, const MetaGetSpec& spec);
  // Looks and no more: no mark, and of the counters only those of an item found dead.
  Hit Look(Worker& worker, std::string_view key);
  // Looks without being noticed, by those who watch either. Dead items are not shown.
  Hit Peek(Worker& worker, std::string_view key);
  // REQUIRES: the hit is still lent.
  [[nodiscard]] ItemDetails DetailsOf(const Hit& hit) const;
  // REQUIRES: hit.value.size() >= kPinnableBytesMin, and the hit is still lent.
  Pin PinValue(const Hit& hit);

  // --- stores --------------------------------------------------------------------------------
  // Takes a chunk for the item, evicting if it must. kTooLarge: no class can ever hold it.
  // Counts cmd_set, store_too_large and store_no_memory, unless told not to. The worker may pass
  // quiescent states.
  Reservation Reserve(Worker& worker, const ItemSpec& spec);
  // For a reservation that awaits room. `wake` is called, from any thread, when TakeRoom has
  // something else to say than kWaiting.
  void AwaitRoom(const Reservation& reservation, std::function<void()> wake);
  // REQUIRES: it awaits room. After kRefused it still has its key, and is to be abandoned.
  [[nodiscard]] RoomStatus TakeRoom(Worker& worker, Reservation& reservation);
  // The value does not arrive in this turn. Chunks that wait for their values cannot be evicted,
  // so all together they may take half the limit at most, or three quarters for one of 64 KiB or
  // less: clients that never finish what they began leave the rest to everybody else. False: that
  // much is waiting already; the reservation is given back, nothing is counted.
  [[nodiscard]] bool KeepUnderWay(Reservation& reservation);
  // Publishes the filled reservation under its key. The key's old item, if any, serves readers
  // until the new one is in its place. `unfinished`: if it is an append or a prepend, the
  // reservation may wait and the result has more than 1 MiB, it is left there (kUnfinished).
  StoreResult Commit(Worker& worker, Reservation reservation, const CommitSpec& spec,
                     UnfinishedStore* unfinished = nullptr);
  // For one that is unfinished. `wake` is called, from any thread, when ContinueCommit has
  // something else to say than kAwaitsRoom. Before it is asked.
  void AwaitRoom(UnfinishedStore& unfinished, std::function<void()> wake);
  // What can be done of it within some 100 microseconds. On any status but kUnfinished and
  // kAwaitsRoom it is over, and as if everything had been done in this turn.
  StoreResult ContinueCommit(Worker& worker, UnfinishedStore& unfinished);
  // What was sent. REQUIRES: it is not over.
  [[nodiscard]] static const Reservation& SentOf(const UnfinishedStore& unfinished);
  // Counts cmd_set, for a reservation that was not to be counted at once. Before its commit.
  void CountStore(Worker& worker, const Reservation& reservation);
  // memcached deletes the old item when a `set` cannot get memory; nothing is counted.
  void DropForFailedSet(Worker& worker, std::string_view key);

  // --- changes -------------------------------------------------------------------------------
  // `compare_cas`: none is any, 0 is a number like any other. memcached counts another id as a
  // miss, or, in its binary protocol, not at all.
  RemoveStatus Remove(Worker& worker, std::string_view key,
                      std::optional<uint64_t> compare_cas = std::nullopt,
                      bool counts_mismatch = true);
  // Marks the item stale and takes its token back, so that the next MetaGet is given one. Not
  // counted as a removal.
  RemoveStatus Invalidate(Worker& worker, std::string_view key, const InvalidateSpec& spec);
  // Puts an empty item in the item's place. Counted as a removal unless it becomes stale.
  RemoveStatus Hollow(Worker& worker, std::string_view key, const HollowSpec& spec);
  // Adds (wrapping at 2^64) or subtracts (stopping at 0). The text never gets shorter: a
  // shorter number is padded on the right with spaces.
  ArithmeticResult Arithmetic(Worker& worker, std::string_view key, const ArithmeticSpec& spec);

  // --- everything at once --------------------------------------------------------------------
  // All items stored before this call are gone; also cancels a pending delayed flush.
  void FlushNow(Worker& worker);
  // From second `at_s` on, all items stored up to and including that second are gone; the present
  // second counts as well. Replaces a pending flush. A second in the past is FlushNow.
  void FlushAt(Worker& worker, uint32_t at_s);
  void CancelFlush(Worker& worker);

  // --- all items, one after the other --------------------------------------------------------
  // Visits the live items of up to `buckets_max` buckets of the index (about 8 items each), in no
  // order. An item that is there all the time is visited exactly once; one that is stored,
  // replaced or removed during the walk may be seen or not. Locks a stripe for as long as it takes
  // to copy the handles of a bucket and of those it was split into since the walk began. What is
  // visited is lent until the worker's next quiescent state. False: the walk is over. Meant for a
  // thread that may take its time: a step of 128 buckets takes about 100 microseconds.
  using VisitItem = std::function<void(const Hit&)>;
  [[nodiscard]] bool Walk(Worker& worker, WalkCursor& cursor, uint32_t buckets_max,
                          const VisitItem& visit);
  // The same walk, removing what has expired or was flushed from the classes whose bit is set in
  // `class_mask`. Counts crawler_items_checked and crawler_reclaimed.
  [[nodiscard]] bool Crawl(Worker& worker, WalkCursor& cursor, uint32_t buckets_max,
                           uint64_t class_mask);

  // --- memory --------------------------------------------------------------------------------
  // Changes the limit while serving. A lower one is reached in the background, by evicting page
  // after page and giving them back to the system. False: out of bounds (the index, which does not
  // shrink, and two pages must fit), nothing is changed.
  [[nodiscard]] bool SetLimit(uint64_t limit_bytes);
  // Moves one page from class `donor` (negative: whichever has one to spare) to `receiver`, 0 being
  // the pool of free pages. What the page holds goes on elsewhere in its class, as far as there is
  // room. The worker passes quiescent states.
  MovePageStatus MovePage(Worker& worker, int32_t donor, int32_t receiver);
  // Whether pages follow demand in the background. On at the start, unless the configuration
  // says otherwise.
  void SetRebalancing(bool on);

  // --- watching ------------------------------------------------------------------------------
  [[nodiscard]] CacheStats Stats() const;
  // Counters start again from zero; figures that describe the present state stay.
  void ResetStats();

  // --- time ----------------------------------------------------------------------------------
  // Ends a delayed flush whose second is over at `now_s`. To be called before the clock shows it:
  // who reads the new second must not find an item that the flush has ended.
  void EndDueFlush(uint32_t now_s);
  // Background work, each part of it bounded, in items or in time. Several times a second.
  void Upkeep();
  // Frees expired and flushed items that nobody asks for, for a bounded time: those in the part of
  // sweeper `number`, of SweeperCount(). On a thread for each, which may have a low priority. True:
  // there is more; to be called again in a moment, else with Upkeep.
  [[nodiscard]] bool Sweep(uint32_t number = 0);
  [[nodiscard]] uint32_t SweeperCount() const;
  // All three, where one thread has the time for them.
  void Maintain(uint32_t now_s);
  // Frees memory for those who await it, for some milliseconds. By one thread of its own, so that
  // no client waits for it; without one, nobody awaits room (ItemSpec::may_wait).
  enum class RoomWork : uint8_t { kIdle, kMore, kBlocked };  // kBlocked: try again in a while
  RoomWork MakeRoom();
  // `wake` is called, from any thread, when there is something to do for MakeRoom. Before the first
  // turn.
  void SetWakeRoomMaker(std::function<void()> wake);

 private:
  friend class LineNames;  // tests/slab/shared_writes
  explicit Cache(std::unique_ptr<CacheImpl> impl);
  std::unique_ptr<CacheImpl> impl_;
};

}  // namespace larder::slab
