// server/net/net_counters.h - what the front end counts.
//
// Units    bytes and counts as the names say.
// Threads  each counter has one writer: a worker's own are written by its thread, the acceptor's
//          by the acceptor's. Anybody may read; relaxed, because a reader that sees the value of a
//          moment ago is as right as one that asked earlier. ClientCount alone has two writers.
// Not here memcached's names for the sums: server/commands/server_view.h
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace larder::server {

class Counter {
 public:
  void Add(uint64_t amount) {
    value_.store(Get() + amount, std::memory_order_relaxed);  // one writer: no lost update
  }
  void Subtract(uint64_t amount) { value_.store(Get() - amount, std::memory_order_relaxed); }
  void Set(uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] uint64_t Get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// Memory that connections of one worker hold at present.
struct BufferGauge {
  Counter count;
  Counter bytes;
};

struct WorkerCounters {
  Counter bytes_read;
  Counter bytes_written;
  Counter yields;
  Counter idle_kicks;
  Counter stall_kicks;     // feeds whose client took nothing
  Counter input_refusals;  // no memory for a part of a request, under ConnectionLimits
  Counter reply_refusals;  // no memory for replies that wait
  BufferGauge held_input;
  BufferGauge held_replies;
};

struct AcceptorCounters {
  Counter accepted;
  Counter rejected;
  Counter pauses;
  Counter paused_us;
  std::atomic<bool> is_paused{false};
};

// Clients of one worker at present, those on their way to it included. The acceptor adds, the
// worker subtracts.
using ClientCount = std::atomic<uint64_t>;

}  // namespace larder::server
