// server/net/turn_clock.h - how long a worker's clients wait for it: the service time of requests,
// and the length of the loop's turns.
//
//     wait for events | connection 1 | connection 2 | new clients | connection 3 | wait for events
//                   Begin           Lap            Lap           Lap            Lap, End
//
// A lap is one connection's: receiving, handling, sending; of several that are received together
// (look_ahead.h), the first one's lap has the receiving of all. Each request that was answered in
// it took as long as the lap, so a batch counts once for each of its requests. What a connection
// waits for on purpose, another thread's answer or the rest of a value, lies between its laps and
// is not counted; of a request in pieces the lap that ends it is.
//
// The whole turn is the longest that a request may wait for the work of others which arrives while
// it goes on. It ends with its last lap, so whatever takes time in a turn ends with one.
//
// Cost     a reading of the clock for each lap and one for each turn, which tells the turn's second
//          as well; no system call.
// Units    nanoseconds of a clock that only goes forward.
// Threads  Requests and Turns from any; everything else on the worker's.
// Not here who calls this: worker.cc
#pragma once

#include <cstdint>
#include <ctime>

#include "server/net/latency_histogram.h"

namespace larder::server {

class TurnClock {
 public:
  // Returns the second it is.
  uint32_t Begin() {
    const timespec now = Read();
    turn_start_ns_ = ToNs(now);
    lap_start_ns_ = turn_start_ns_;
    return static_cast<uint32_t>(now.tv_sec);
  }
  // So many requests were answered in the lap that is not over yet.
  void CountRequests(uint32_t count) { request_count_ += count; }
  void Lap() {
    const uint64_t now_ns = ToNs(Read());
    if (request_count_ > 0) requests_.Add(now_ns - lap_start_ns_, request_count_);
    request_count_ = 0;
    lap_start_ns_ = now_ns;
  }
  void End() { turns_.Add(lap_start_ns_ - turn_start_ns_); }

  [[nodiscard]] const LatencyHistogram& Requests() const { return requests_; }
  [[nodiscard]] const LatencyHistogram& Turns() const { return turns_; }

 private:
  static timespec Read() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now;
  }
  static uint64_t ToNs(const timespec& time) {
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
  }

  uint64_t turn_start_ns_ = 0;
  uint64_t lap_start_ns_ = 0;
  uint64_t request_count_ = 0;
  LatencyHistogram requests_;
  LatencyHistogram turns_;
};

}  // namespace larder::server
