// tests/bench/replay_client.h - plays a replay against a memcached text server, as an application
// does that reads through its cache: get, and on a miss set.
//
// Requests go out in batches: one `get` of many keys, and with the next batch the sets of those it
// missed. The server sees each key's reads and stores in the order of the replay; an item that is
// missed twice in a batch is asked for again in the next one, when it has been stored, as it would
// have been found by one who asks one by one.
//
// Errors   nullopt; the client's Complaint() says what happened. Every value that comes back is
//          checked byte for byte.
#pragma once

#include <cstdint>
#include <optional>

#include "tests/bench/item_keys.h"
#include "tests/bench/replay.h"
#include "tests/bench/survey.h"
#include "tests/bench/text_client.h"

namespace larder::bench {

struct ReplayOutcome {
  MissCount misses;
  uint64_t refused_count = 0;  // sets that were answered with an error
  double seconds = 0;
  uint64_t current_items = 0;  // at the end, as the server counts, expired ones included
  Holding held = {};           // at the end, what can be read
};

[[nodiscard]] std::optional<ReplayOutcome> PlayReplay(const Replay& replay, TextClient& client);

}  // namespace larder::bench
