// server/net/placement.h - which worker gets the next client: the one that has the fewest.
//
// Clients come and go as they like: dealt in turn, those that stay can all be one worker's. So each
// worker's clients are counted from the moment they are dealt, opened or not, and a burst spreads
// as evenly as clients that come one by one. Among equals the turn goes round, so that the first
// worker is not favoured for ever.
//
// What is counted is clients, not what they ask for: which of them will be busy nobody knows when
// they come.
//
// Owner    the front end; outlives its acceptor and its workers.
// Threads  Place on the acceptor's; the count of a worker is lowered by that worker; sums from any.
//          No request touches a count, only coming and going does.
// Errors   none.
// Not here who accepts: acceptor.h
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/net/net_counters.h"

namespace larder::server {

class Placement {
 public:
  // REQUIRES: worker_count > 0
  explicit Placement(size_t worker_count) : counts_(worker_count) {}

  // Chooses a worker for one more client, and counts it.
  [[nodiscard]] size_t Place();
  // What the worker lowers when a client of its is gone.
  [[nodiscard]] ClientCount& CountOf(size_t worker) { return counts_[worker].clients; }
  // All clients. On the acceptor's thread never too few: nobody else adds.
  [[nodiscard]] uint64_t Total() const;

 private:
  // A line each, so that two workers whose clients leave do not write to the same one.
  struct alignas(64) Count {
    ClientCount clients{0};
  };

  std::vector<Count> counts_;
  size_t next_ = 0;  // where the search begins; the acceptor's thread only
};

}  // namespace larder::server
