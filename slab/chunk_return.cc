// slab/chunk_return.cc - the way back of a chunk: limbo, stock, free list.
#include <sched.h>

#include <thread>

#include "slab/chunk_supply.h"
#include "slab/poison.h"
#include "slab/race_window.h"

namespace larder::slab {

namespace {

// Gather asks this often in quick succession, then naps between looks.
constexpr uint32_t kQuickLooks = 200;
constexpr std::chrono::microseconds kNap{50};

// The intervals at which something is asked again and again, and their end.
class Patience {
 public:
  explicit Patience(std::chrono::milliseconds limit)
      : end_(std::chrono::steady_clock::now() + limit) {}

  // Waits a little; false when it is over.
  bool Wait() {
    if (look_++ < kQuickLooks) {
      sched_yield();
      return true;
    }
    std::this_thread::sleep_for(kNap);
    return std::chrono::steady_clock::now() < end_;
  }

 private:
  const std::chrono::steady_clock::time_point end_;
  uint32_t look_ = 0;
};

}  // namespace

// --- limbo ---------------------------------------------------------------------------------------

void ChunkSupply::Retire(Worker& worker, Item* item) {
  // Relaxed: nobody else has hold of it. Readers that still look at it may read its marks.
  item->state.fetch_and(item_state::kMarks | item_state::kLarge, std::memory_order_relaxed);
  RaceWindow(Window::kRetiredBeforeSeal);
  worker.limbo.Push({slabs_.arena.HandleOf(item), 0});
  worker.has_leftovers = true;
}

void ChunkSupply::SealLimbo(Worker& worker) {
  size_t place = worker.limbo.Count();
  if (place == 0 || worker.limbo.At(place - 1).stamp != 0) return;
  const Epoch stamp = slabs_.epochs.Seal();
  while (place > 0 && worker.limbo.At(place - 1).stamp == 0) worker.limbo.At(--place).stamp = stamp;
}

void ChunkSupply::Collect(Worker& worker) {
  if (worker.limbo.Empty() && worker.pinned.empty()) return;
  SealLimbo(worker);
  slabs_.epochs.TryAdvance();
  while (!worker.limbo.Empty() && slabs_.epochs.IsOver(worker.limbo.At(0).stamp)) {
    const Handle handle = worker.limbo.Pop().handle;
    if (IsLent(handle)) {
      worker.pinned.push_back(handle);
    } else {
      FreeChunk(worker, handle);
    }
  }
  std::erase_if(worker.pinned, [&](Handle handle) {
    if (IsLent(handle)) return false;
    FreeChunk(worker, handle);
    return true;
  });
}

bool ChunkSupply::IsLent(Handle handle) const {
  Item* const item = slabs_.ItemAt(handle);
  // Acquire: pairs with the release of the last pin; the socket has read all it wanted.
  return item->IsPinnable() && item->Pins().load(std::memory_order_acquire) > 0;
}

void ChunkSupply::GiveBack(Worker& worker, Item* item) {
  FreeChunk(worker, slabs_.arena.HandleOf(item));
}

void ChunkSupply::Clear(Item* chunk, const SlabClass& slab_class) {
  chunk->state.store(0, std::memory_order_relaxed);
  Poison(chunk + 1, slab_class.ChunkBytes() - sizeof(Item));
}

void ChunkSupply::FreeChunk(Worker& worker, Handle handle) {
  Item* const chunk = slabs_.ItemAt(handle);
  // Such chunks are in nobody's stock.
  if (chunk->ValueBytes() >= Item::kLargeValueBytesMin) [[unlikely]]
    return FreeToClass(handle);
  SlabClass& slab_class = slabs_.ClassOf(chunk);
  auto& stock = worker.BatchesOf(slab_class.Id()).stock;
  Clear(chunk, slab_class);
  // Relaxed: a worker that does not see it yet gives the chunk back when it is asked to drain.
  const bool draining = slabs_.arena.InfoOf(handle).draining.load(std::memory_order_relaxed);
  if (slab_class.IsStocked() && !draining && stock.Count() < 2 * slab_class.BatchCount()) {
    stock.Push(handle);
    worker.has_leftovers = true;
    return;
  }
  const MutexLock lock(slab_class.mutex);
  slab_class.GiveFreeLocked(handle);
  // A full stock gives a batch at once, so that the next chunks need no lock.
  while (stock.Count() > slab_class.BatchCount()) slab_class.GiveFreeLocked(stock.Pop());
}

void ChunkSupply::FreeToClass(Handle handle) {
  Item* const chunk = slabs_.ItemAt(handle);
  SlabClass& slab_class = slabs_.ClassOf(chunk);
  if (chunk->IsLarge()) slabs_.extents.GiveBack(chunk->Extent());
  Clear(chunk, slab_class);
  const MutexLock lock(slab_class.mutex);
  slab_class.GiveFreeLocked(handle);
}

// --- giving everything back ----------------------------------------------------------------------

void ChunkSupply::PassQuiescent(Worker& worker) {
  slabs_.epochs.Quiesce(worker.participant);
  AnswerRequest(worker);
  if (worker.limbo.Count() > kLimboMax) Collect(worker);
}

void ChunkSupply::LockPassingQuiescent(Worker& worker, Mutex& mutex) UNCHECKED_LOCKING {
  while (!mutex.TryLock()) {
    PassQuiescent(worker);
    sched_yield();
  }
}

void ChunkSupply::AnswerRequest(Worker& worker) {
  // Relaxed: seen a turn later is early enough; the draining itself is ordered by the classes'
  // mutexes.
  const uint64_t request = drain_request_.load(std::memory_order_relaxed);
  if (worker.drained_request.load(std::memory_order_relaxed) == request) return;
  Drain(worker);
  // Release: pairs with EveryoneDrained's acquire.
  worker.drained_request.store(request, std::memory_order_release);
}

void ChunkSupply::Drain(Worker& worker) {
  for (SlabClass& slab_class : slabs_.classes) {
    Worker::ClassBatches& batches = worker.BatchesOf(slab_class.Id());
    if (batches.stock.Count() + batches.entries.Count() == 0) continue;
    const MutexLock lock(slab_class.mutex);
    SettleLocked(worker, slab_class);
    while (batches.stock.Count() > 0) slab_class.GiveFreeLocked(batches.stock.Pop());
  }
  SealLimbo(worker);
  worker.has_leftovers = false;
  if (worker.limbo.Empty() && worker.pinned.empty()) return;
  const MutexLock lock(leftovers_mutex_);
  for (size_t i = 0; i < worker.limbo.Count(); ++i) leftovers_.push_back(worker.limbo.At(i));
  // Their grace period is over: stamp 0 is, for every epoch that can be.
  for (const Handle handle : worker.pinned) leftovers_.push_back({handle, 0});
  worker.limbo.Clear();
  worker.pinned.clear();
}

void ChunkSupply::CollectLeftovers() {
  std::vector<Handle> ready;
  {
    const MutexLock lock(leftovers_mutex_);
    std::erase_if(leftovers_, [&](const RetiredChunk& chunk) {
      if (!slabs_.epochs.IsOver(chunk.stamp) || IsLent(chunk.handle)) return false;
      ready.push_back(chunk.handle);
      return true;
    });
  }
  for (const Handle handle : ready) FreeToClass(handle);
}

void ChunkSupply::DrainIdle(const Worker& self) {
  slabs_.workers.ForEach([&](Worker& worker) {
    if (&worker == &self || !worker.turn_mutex.TryLock()) return;  // at work: it settles by itself
    if (worker.has_leftovers) Drain(worker);
    worker.turn_mutex.Unlock();
  });
  slabs_.epochs.TryAdvance();
  CollectLeftovers();
}

void ChunkSupply::CollectIdle(Worker& worker) {
  // Two steps of the epoch end a grace period; with all others idle both are made at once.
  for (int step = 0; step < 2; ++step) {
    PassQuiescent(worker);
    Collect(worker);
    DrainIdle(worker);
  }
}

bool ChunkSupply::EveryoneDrained(uint64_t request) {
  bool everyone = true;
  slabs_.workers.ForEach([&](Worker& worker) {
    // Acquire: pairs with AnswerRequest's release.
    if (worker.drained_request.load(std::memory_order_acquire) >= request) return;
    if (worker.turn_mutex.TryLock()) {
      AnswerRequest(worker);
      worker.turn_mutex.Unlock();
    } else {
      everyone = false;
    }
  });
  return everyone;
}

bool ChunkSupply::AwaitReaders(Worker& worker) {
  const Epoch stamp = slabs_.epochs.Seal();
  Patience patience(kPatience);
  while (true) {
    // Two steps of the epoch end a grace period; alone, this worker makes both at once.
    for (int step = 0; step < 2; ++step) {
      PassQuiescent(worker);
      slabs_.epochs.TryAdvance();
    }
    if (slabs_.epochs.IsOver(stamp)) return true;
    if (!patience.Wait()) return false;
  }
}

bool ChunkSupply::Gather(Worker& worker) {
  const uint64_t request = RequestDrain();
  Patience patience(kPatience);
  bool in_time = true;
  PassQuiescent(worker);
  while (in_time && !EveryoneDrained(request)) {
    in_time = patience.Wait();
    PassQuiescent(worker);
  }
  in_time = in_time && AwaitReaders(worker);
  CollectLeftovers();
  return in_time;
}

}  // namespace larder::slab
