// slab/race_window.h - named moments between two steps of a concurrent algorithm, which tests can
// stretch until the interleaving they are after becomes likely.
//
// A window costs nothing in a build without LARDER_RACE_WINDOWS (Release). Sanitizer and debug
// builds define it; there a test installs a hook that yields, spins or sleeps.
//
// Threads  RaceWindow() from any thread. SetRaceHook before threads start, or with threads that
//          tolerate either hook.
#pragma once

#include <atomic>
#include <cstdint>

namespace larder::slab {

enum class Window : uint8_t {
  kSlotFoundItemUnread,       // a reader has the handle, not yet the item
  kValueLentUncopied,         // a reader has the item, its caller has not copied the value
  kMainReadOverflowNot,       // a reader has searched the main bucket, not yet the overflow bucket
  kTagWrittenHandleNot,       // an insertion has written the tag, not yet the handle
  kMovedUpNotCleared,         // an entry stands in its main bucket and still in the overflow bucket
  kSplitCopiedUnpublished,    // the new bucket is filled, readers do not look there yet
  kSplitPublishedUncleared,   // readers look there, the old bucket still has the entries
  kRemovedNotRetired,         // an item is out of the index, its chunk not yet on its way home
  kTakenNotJudged,            // candidates are off the queue, their items may change or go
  kVictimsStillIndexed,       // victims are chosen and can still be found, read and replaced
  kReservedBeforeRecheck,     // a rewrite has its new chunk, the old item may have changed
  kRetiredBeforeSeal,         // a chunk is retired, its epoch not yet stamped
  kCopiedNotSwung,            // an item has a copy that nobody can find yet
  kSwungNotRetired,           // readers find the copy, some still hold the item it was made of
  kPageWalkedNotDrained,      // a page's items are on their way out, its chunks not yet home
  kRegionsClearedNotVisited,  // the sweeper has forgotten expiries that it will see on its visit
  kJoinedNotSwung,            // a large result is whole, the item it is made of still in its place
  kExpirySetNotNoted,         // an expiry can be seen, the sweeper does not know of it yet
};

#ifdef LARDER_RACE_WINDOWS
using RaceHook = void (*)(Window);
namespace internal {
inline std::atomic<RaceHook> race_hook{nullptr};
}
inline void SetRaceHook(RaceHook hook) { internal::race_hook.store(hook); }
inline void RaceWindow(Window window) {
  if (RaceHook hook = internal::race_hook.load(std::memory_order_relaxed)) hook(window);
}
#else
inline void RaceWindow(Window) {}
#endif

}  // namespace larder::slab
