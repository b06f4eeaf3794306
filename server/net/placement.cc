#include "server/net/placement.h"

namespace larder::server {

// Relaxed, here and below: a worker that has just lost a client is seen as one with a client more,
// which is as good a choice as a moment ago, and nothing is read on the strength of a count.
size_t Placement::Place() {
  size_t chosen = next_;
  uint64_t fewest = counts_[chosen].clients.load(std::memory_order_relaxed);
  for (size_t step = 1; step < counts_.size(); ++step) {
    const size_t worker = (next_ + step) % counts_.size();
    const uint64_t clients = counts_[worker].clients.load(std::memory_order_relaxed);
    if (clients >= fewest) continue;
    fewest = clients;
    chosen = worker;
  }
  counts_[chosen].clients.fetch_add(1, std::memory_order_relaxed);
  next_ = (chosen + 1) % counts_.size();
  return chosen;
}

uint64_t Placement::Total() const {
  uint64_t total = 0;
  for (const Count& count : counts_) total += count.clients.load(std::memory_order_relaxed);
  return total;
}

}  // namespace larder::server
