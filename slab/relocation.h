// slab/relocation.h - an item goes on in another chunk of its class, and nobody notices.
//
//   1. copy    what never changes, into a chunk that nobody else can reach. No lock: the old item
//              is read as any reader reads it.
//   2. swing   under the stripe's lock, if the old item is still in the index: its kIndexed is
//              cleared, what changes under this lock is copied, the copy is published with the
//              same state, the index's slot is swung to it.
//   3. retire  the old chunk, as that of any item that left the index.
//
// Invariants  A key that is present is found at every moment: its slot holds the old item or the
//             copy, and both are whole. A reader who has the old one keeps it until its quiescent
//             state (epoch.h), a pin until it is released.
//             kIndexed of exactly one of the two is set outside the lock, so exactly one of them
//             is ever evicted, removed or moved on, and the old chunk is retired once.
//             Whatever changes an item does so under the lock, after finding it there: by its key,
//             then it changes the copy; or by its address, then it is as late as it would be for
//             an item that was replaced. Expiry, cas id and marks are never lost.
//             A mark of access made on the old item meanwhile may be lost: it costs a choice.
//
// For clients it is the same item: no number is taken, nothing is counted as stored or evicted,
// nobody is told. A protected item stays protected; one on probation begins it anew, because its
// entry in the queue was for the other chunk.
//
// Threads     a worker that is on-line.
// Not here    why, and where the chunk comes from: page_release.h
#pragma once

#include "slab/chunk_supply.h"

namespace larder::slab {

// False: the item has left the index meanwhile; `room` is still the caller's.
// REQUIRES: the worker has seen since its last quiescent state that `old` is indexed; `room` is a
// chunk of the same class, taken by this worker.
[[nodiscard]] bool Relocate(SlabSet& slabs, ChunkSupply& supply, Worker& worker, Item* old,
                            Item* room);

}  // namespace larder::slab
