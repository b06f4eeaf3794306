// slab/cache.cc - building a cache, turns, reads. Stores: cache_store.cc, changes:
// cache_change.cc, meta look-ups: cache_meta.cc, walks: cache_walk.cc, flush and background work:
// cache_upkeep.cc, figures: cache_report.cc
#include "slab/cache.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <random>

#include "slab/cache_impl.h"
#include "slab/cache_reads.h"
#include "slab/poison.h"

namespace larder::slab {

namespace {

uint64_t DrawSeed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

// The index takes its part of the limit as it grows; a sixteenth is what it comes to for small
// items. Pages beyond are committed when they are lent.
[[nodiscard]] bool Preallocate(SlabSet& slabs) {
  const auto page_count = static_cast<PageId>(slabs.budget.LimitBytes() / kPageBytes);
  const PageId end = page_count - std::max<PageId>(1, page_count / 16);
  if (!slabs.arena.Preallocate(end)) return false;
  slabs.pool.NotePopulated(end);
  return true;
}

}  // namespace

// --- building ------------------------------------------------------------------------------------

std::string CacheConfig::Validate() const {
  if (limit_bytes < kLimitBytesMin) return "the memory limit must be at least 2 megabytes";
  if (growth_factor != 0 && growth_factor <= 1.0)
    return "the slab growth factor must be greater than 1";
  if (smallest_item_bytes == 0) return "the smallest item must be at least 1 byte";
  if (smallest_item_bytes > Item::kChunkBytesMax / 2)
    return "the smallest item must be at most 32 KiB";
  if (item_bytes_max > kItemBytesMax) return "the largest item must be at most 1 GiB";
  if (item_bytes_max > kMiB && item_bytes_max > limit_bytes / 2) {
    return "the largest item must be at most half of the memory limit";
  }
  return {};
}

std::unique_ptr<Cache> Cache::Create(const CacheConfig& config, const Clock& clock,
                                     std::string* error) {
  *error = config.Validate();
  if (!error->empty()) return nullptr;
  auto impl = std::make_unique<CacheImpl>(config, clock,
                                          config.hash_seed != 0 ? config.hash_seed : DrawSeed());
  const SlabSet& slabs = impl->slabs;
  if (!slabs.arena.IsReady() || !slabs.hints.IsReady() || !slabs.index.IsReady() ||
      !slabs.ghost.IsReady() || slabs.extents.BytesMax() < kMiB) {
    *error = "the system refuses the address space for the cache";
    return nullptr;
  }
  if (config.item_bytes_max > kMiB && slabs.extents.BytesMax() < config.item_bytes_max) {
    *error = "the system refuses the address space for items of that size";
    return nullptr;
  }
  if (config.preallocate && !Preallocate(impl->slabs)) {
    *error = "the system refuses the memory for the cache";
    return nullptr;
  }
  return std::unique_ptr<Cache>(new Cache(std::move(impl)));
}

Cache::Cache(std::unique_ptr<CacheImpl> impl) : impl_(std::move(impl)) {}

Cache::~Cache() {
  // Nothing of the arena is left poisoned for whoever gets the addresses next.
  for (PageId page = 0; page < impl_->slabs.pool.TouchedCount(); ++page) {
    Unpoison(impl_->slabs.arena.PageBegin(page), kPageBytes);
  }
}

// --- turns ---------------------------------------------------------------------------------------

Worker& Cache::AddWorker() { return impl_->slabs.workers.Add(impl_->slabs.epochs); }

void Cache::Online(Worker& worker) UNCHECKED_LOCKING {
  worker.turn_mutex.Lock();
  worker.is_online = true;
  impl_->slabs.epochs.Enter(worker.participant);
}

void Cache::Offline(Worker& worker) UNCHECKED_LOCKING {
  impl_->supply.AnswerRequest(worker);
  impl_->slabs.epochs.Leave(worker.participant);
  worker.is_online = false;
  worker.turn_mutex.Unlock();
}

void Cache::SetOrigin(Worker& worker, int32_t origin) { worker.origin = origin; }

void Cache::Quiesce(Worker& worker) { impl_->supply.PassQuiescent(worker); }

// --- reads ---------------------------------------------------------------------------------------

namespace {

Hit ReadOne(CacheImpl& cache, Worker& worker, uint64_t hash, std::string_view key) {
  Item* const item = cache.Lookup(worker, hash, key);
  if (item == nullptr) {
    worker.counters.get_misses.Add();
    return {};
  }
  WorkerClassCounters& counters = worker.CountersOf(cache.slabs.ClassIdOf(item));
  CountHit(counters, *item, counters.get_hits);
  cache.MarkAccess(*item);
  return cache.MakeHit(*item);
}

}  // namespace

Hit Cache::Get(Worker& worker, std::string_view key) {
  return ReadOne(*impl_, worker, impl_->slabs.index.Hash(key), key);
}

uint64_t Cache::LookAhead(std::string_view key) const {
  const uint64_t hash = impl_->slabs.index.Hash(key);
  impl_->slabs.index.PrefetchBucket(hash);
  return hash != 0 ? hash : 1;
}

void Cache::LookCloser(uint64_t hash) const { impl_->slabs.index.PrefetchItems(hash); }

void Cache::GetGroup(Worker& worker, std::span<const std::string_view> keys, std::span<Hit> hits) {
  assert(keys.size() == hits.size() && keys.size() <= kGroupKeysMax);
  const HashIndex& index = impl_->slabs.index;
  std::array<uint64_t, kGroupKeysMax> hashes;
  for (size_t i = 0; i < keys.size(); ++i) {
    hashes[i] = index.Hash(keys[i]);
    index.PrefetchBucket(hashes[i]);
  }
  for (size_t i = 0; i < keys.size(); ++i) index.PrefetchItems(hashes[i]);
  for (size_t i = 0; i < keys.size(); ++i) hits[i] = ReadOne(*impl_, worker, hashes[i], keys[i]);
}

// --- touch ---------------------------------------------------------------------------------------

namespace {

Item* TouchOne(CacheImpl& cache, Worker& worker, std::string_view key, uint32_t expires_s) {
  const uint64_t hash = cache.slabs.index.Hash(key);
  uint32_t expires_before_s = 0;
  Item* item = cache.Lookup(worker, hash, key);
  if (item != nullptr) item = SetExpiry(cache, hash, key, expires_s, &expires_before_s);
  if (item == nullptr) {
    worker.counters.touch_misses.Add();
    return nullptr;
  }
  WorkerClassCounters& counters = worker.CountersOf(cache.slabs.ClassIdOf(item));
  CountHit(counters, *item, counters.touch_hits);
  cache.MarkAccess(*item);
  return item;
}

}  // namespace

Hit Cache::GetAndTouch(Worker& worker, std::string_view key, uint32_t expires_s) {
  Item* const item = TouchOne(*impl_, worker, key, expires_s);
  return item == nullptr ? Hit{} : impl_->MakeHit(*item);
}

bool Cache::Touch(Worker& worker, std::string_view key, uint32_t expires_s) {
  return TouchOne(*impl_, worker, key, expires_s) != nullptr;
}

// --- lending -------------------------------------------------------------------------------------

Pin Cache::PinValue(const Hit& hit) {
  auto* const item = const_cast<Item*>(hit.item);
  assert(item->IsPinnable());
  // Relaxed: the chunk cannot be freed before this worker's next quiescent state, and whoever
  // frees it after that sees the count through the epoch's acquire.
  item->Pins().fetch_add(1, std::memory_order_relaxed);
  return Pin(item);
}

void Pin::Release() {
  if (item_ != nullptr) ReleaseOpaque(std::exchange(item_, nullptr));
}

void Pin::ReleaseOpaque(void* opaque) {
  // Release: pairs with the acquire that finds the count 0; all reads of the value came before.
  static_cast<Item*>(opaque)->Pins().fetch_sub(1, std::memory_order_release);
}

}  // namespace larder::slab
