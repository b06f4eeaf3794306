// server/commands/storage.h - set, add, replace, append, prepend, cas and ms: what is refused
// before their value is read, and what is answered when it is stored.
//
// Threads  the worker's own.
// Not here the value's way from the stream into its chunk: pending_store.h
#pragma once

#include <cstdint>
#include <optional>

#include "protocol/outcome.h"
#include "protocol/request.h"
#include "server/commands/worker_context.h"
#include "slab/cache.h"

namespace larder::server {

// The size of an item by memcached's rules, which is what its -I limits: clients have learnt
// which values fit a server, whatever the items of this engine really take.
[[nodiscard]] constexpr uint64_t ItemBytesAsMemcachedCounts(uint64_t key_bytes,
                                                            uint32_t client_flags,
                                                            uint64_t value_bytes, bool use_cas) {
  constexpr uint64_t kHeaderBytes = 48;
  constexpr uint64_t kCasBytes = 8;
  constexpr uint64_t kFlagsBytes = 4;
  constexpr uint64_t kKeyEndBytes = 1;
  constexpr uint64_t kValueEndBytes = 2;
  return kHeaderBytes + (use_cas ? kCasBytes : 0) + key_bytes + kKeyEndBytes +
         (client_flags != 0 ? kFlagsBytes : 0) + value_bytes + kValueEndBytes;
}

// What the request's command, and a meta command's flags, mean for the way it is stored.
[[nodiscard]] slab::CommitSpec CommitSpecOf(const protocol::Request& request);

// A client that could not replace a value must not go on reading the old one: after a failed
// `set` the key is gone, and after a failed `ms` whatever its mode. The other commands promise
// nothing of the kind.
[[nodiscard]] bool DropsOnRefusal(const protocol::Request& request);

// Takes a chunk for the request's item into `reservation`, which may await room then. Any status
// but kNone: it was refused, counted, and answered so; the value is then to be dropped.
[[nodiscard]] protocol::Status ReserveItem(WorkerContext& context, const protocol::Request& request,
                                           slab::Reservation& reservation);

// The same refusal for one that awaited room in vain. `drops`: DropsOnRefusal(its request).
[[nodiscard]] protocol::Status RefuseRoom(WorkerContext& context,
                                          const slab::Reservation& reservation,
                                          const slab::CommitSpec& spec, bool drops);

// Publishes the filled reservation. None: it is unfinished, and to be continued.
[[nodiscard]] std::optional<protocol::Outcome> CommitItem(WorkerContext& context,
                                                          slab::Reservation reservation,
                                                          const slab::CommitSpec& spec,
                                                          slab::UnfinishedStore* unfinished);

// None: there is more to do, after something was awaited if `*awaits_room` says so.
[[nodiscard]] std::optional<protocol::Outcome> ContinueCommit(WorkerContext& context,
                                                              slab::UnfinishedStore& unfinished,
                                                              slab::StoreMode mode,
                                                              bool* awaits_room);

}  // namespace larder::server
