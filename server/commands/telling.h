// server/commands/telling.h - what data commands tell those who watch: stores and deletions, with
// the command's name. Look-ups, evictions and moves of pages are told by the engine itself.
//
// Cost     one load each while nobody watches. Otherwise an item is looked at once more, unnoticed.
// Threads  the worker's own.
// Not here what watchers read: server/observe/event_line.h
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/commands/worker_context.h"
#include "server/observe/event_log.h"
#include "slab/cache.h"

namespace larder::server {

struct StoreDraft {
  std::string key;
  // Of an append or a prepend: the stored item is another than was sent.
  bool is_joined = false;
  StoreTold event = {};
};

// A store on its way: made before the commit, while the new item can still be looked at.
class StoreReport {
 public:
  StoreReport(WorkerContext& context, const slab::Reservation& reservation, slab::StoreMode mode)
      : context_(context) {
    if (context.environment.Events().Wants(watch_stream::kMutations)) Begin(reservation, mode);
  }
  void Tell(const slab::StoreResult& result) {
    if (draft_) TellNow(result);
  }

 private:
  void Begin(const slab::Reservation& reservation, slab::StoreMode mode);
  void TellNow(const slab::StoreResult& result);
  void LookAgain();

  WorkerContext& context_;
  std::optional<StoreDraft> draft_;  // none: nobody watches
};

// A store that was refused before its value was read.
void TellRefusedStore(WorkerContext& context, std::string_view key, slab::StoreMode mode,
                      StoreResultKind why);

// An item that nobody sent and that is stored by now: a number that was to be changed and was not
// there, or what is left of an item whose value was taken away.
void TellStored(WorkerContext& context, std::string_view key, StoreCommand command);

// A deletion on its way: made before it, while there is an item.
class DeletionReport {
 public:
  DeletionReport(WorkerContext& context, std::string_view key, DeleteCommand command)
      : context_(context),
        is_wanted_(context.environment.Events().Wants(watch_stream::kDeletions)),
        event_{.key = key, .command = command} {
    LookAgain();
  }
  // The item is another by now.
  void LookAgain() {
    if (is_wanted_) Look();
  }
  void Tell() {
    if (is_wanted_) context_.environment.Events().Tell(event_);
  }

 private:
  void Look();

  WorkerContext& context_;
  const bool is_wanted_;
  DeletionTold event_;
};

}  // namespace larder::server
