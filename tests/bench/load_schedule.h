// tests/bench/load_schedule.h - when each connection's batches are due under an open loop: so many
// requests a second come in whether or not the server keeps up.
//
// All connections send equally often and never two at the same time:
//
//     connection 0   |           |           |
//     connection 1       |           |           |
//     connection 2           |           |           |
//
// A batch that cannot be sent when it is due, because the one before it is not answered yet, stays
// due, and so are those behind it: a client that waits for a stalled server has more to wait for.
//
// Units    nanoseconds of NowNs(), requests a second.
// Not here who sends: load_runner.h
#pragma once

#include <cstdint>

namespace larder::bench {

class LoadSchedule {
 public:
  // REQUIRES: rate and connection_count are not 0.
  LoadSchedule(uint64_t rate, uint32_t pipeline, uint64_t connection_count, uint64_t start_ns)
      : start_ns_(start_ns),
        batch_ns_(kNsPerSecond * pipeline / static_cast<double>(rate)),
        connection_count_(connection_count) {}

  // Of the `batch`th batch, from 0, of a connection.
  [[nodiscard]] uint64_t DueNs(uint64_t connection_index, uint64_t batch) const {
    const uint64_t batches_before = batch * connection_count_ + connection_index;
    return start_ns_ + static_cast<uint64_t>(batch_ns_ * static_cast<double>(batches_before));
  }

 private:
  static constexpr double kNsPerSecond = 1e9;

  uint64_t start_ns_;
  double batch_ns_;  // between two batches of all connections
  uint64_t connection_count_;
};

}  // namespace larder::bench
