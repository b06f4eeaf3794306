// tests/bench/load_runner.h - runs a load against one server in phases: fill, warm-up, measured.
//
// Every phase ends with all of its replies read, so what happens before and after it is not in
// its figures. Without a rate the loop is closed: a connection sends when it has its replies. With
// one it is open: what is sent, and since when it waits, follows load_schedule.h.
//
// Owner    owns the connections; borrows the dataset and the options.
// Threads  one thread at a time. One thread is enough: the server under test does more work for
//          each request than the generator does.
// Errors   PhaseResult::complaint; after one the runner must not be used again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "server/net/latency_histogram.h"
#include "tests/bench/dataset.h"
#include "tests/bench/load_connection.h"
#include "tests/bench/load_options.h"
#include "tests/bench/load_schedule.h"

namespace larder::bench {

struct Phase {
  Operation operation = Operation::kGet;
  uint64_t request_count = 0;
  uint32_t pipeline = 1;
  uint32_t keys_per_request = 1;
  // Each key in turn, instead of a random one.
  bool in_order = false;
  uint64_t rate = 0;         // requests a second; 0: as fast as it goes
  uint64_t seconds_max = 0;  // nothing is sent later; 0: no bound
};

struct PhaseResult {
  uint64_t request_count = 0;  // answered
  uint64_t hit_count = 0;
  uint64_t miss_count = 0;
  uint64_t sent_bytes = 0;
  uint64_t received_bytes = 0;
  uint64_t elapsed_ns = 0;
  LatencyHistogram latencies;
  std::string complaint;  // empty when all went well
};

class LoadRunner {
 public:
  LoadRunner(const LoadOptions& options, const Dataset& dataset);
  ~LoadRunner();
  LoadRunner(const LoadRunner&) = delete;
  LoadRunner& operator=(const LoadRunner&) = delete;

  // Returns what went wrong, or an empty string.
  [[nodiscard]] std::string Connect();
  [[nodiscard]] PhaseResult Run(const Phase& phase);

 private:
  struct Totals;

  std::vector<uint32_t> NextKeyIds(const Phase& phase, std::vector<uint32_t>&& key_ids);
  // Gives the connection its next batch, if the phase has one left; one that is not due yet, later.
  bool Continue(LoadConnection& connection, const Phase& phase);
  bool StartBatch(LoadConnection& connection, const Phase& phase, uint64_t due_ns);
  // Those whose time has come. False: one of them has failed.
  bool StartThoseDue(const Phase& phase, PhaseResult& result);
  [[nodiscard]] uint64_t WaitNsMax() const;
  // Serves what one epoll_wait reported.
  bool Turn(const Phase& phase, PhaseResult& result);
  bool Serve(LoadConnection& connection, uint32_t events, const Phase& phase, PhaseResult& result);
  void UpdateInterest(LoadConnection& connection);
  [[nodiscard]] Totals Sum() const;

  const LoadOptions& options_;
  const Dataset& dataset_;
  std::vector<std::unique_ptr<LoadConnection>> connections_;
  int epoll_ = -1;
  std::vector<char> buffer_;
  std::mt19937_64 random_;

  uint64_t requests_left_ = 0;  // of the phase, not yet sent
  uint64_t last_send_ns_ = 0;   // of the phase; 0: no bound
  uint64_t next_in_order_ = 0;
  uint64_t busy_count_ = 0;               // connections with a batch under way
  std::optional<LoadSchedule> schedule_;  // of the phase, if it has a rate
  std::vector<uint64_t> batch_counts_;    // of the phase so far, by the connection's index
  using Waiting = std::pair<uint64_t, LoadConnection*>;  // when it is due, and who
  std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> waiting_;
};

}  // namespace larder::bench
