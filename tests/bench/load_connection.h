// tests/bench/load_connection.h - one client connection of the load generator: sends a batch of
// requests, reads the replies, counts how long each took.
//
// The next batch goes out only when the last is answered completely, so the number of requests
// that the server finds in one read is the same in every run.
//
// Owner    owns its socket; borrows the dataset.
// Threads  one thread at a time.
// Errors   values; Complaint() says what happened, and the connection is of no further use.
// Units    latencies in nanoseconds, from the moment the batch was due until the reply is read.
// Not here what is sent next, and when to stop: load_runner.h
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "server/net/latency_histogram.h"
#include "tests/bench/dataset.h"
#include "tests/bench/reply_reader.h"

namespace larder::bench {

using server::LatencyHistogram;

class LoadConnection {
 public:
  enum class Status : uint8_t { kBusy, kBatchDone, kFailed };

  // `index`: which of its runner's connections it is.
  LoadConnection(const Dataset& dataset, uint64_t index)
      : dataset_(dataset), index_(index), reader_(dataset) {}
  ~LoadConnection();
  LoadConnection(const LoadConnection&) = delete;
  LoadConnection& operator=(const LoadConnection&) = delete;

  // Blocks until connected.
  [[nodiscard]] bool Connect(uint16_t port);
  [[nodiscard]] uint64_t Index() const { return index_; }
  [[nodiscard]] int Socket() const { return socket_; }

  // Sends one request for every `keys_per_request` of `key_ids`. Due at `due_ns`; 0: now.
  // REQUIRES: no batch is under way; keys_per_request is 1 for kSet.
  [[nodiscard]] Status StartBatch(Operation operation, std::vector<uint32_t>&& key_ids,
                                  uint32_t keys_per_request, uint64_t due_ns);
  // True while part of the batch waits until the socket takes it.
  [[nodiscard]] bool WantsWrite() const { return sent_bytes_ < out_.size(); }
  [[nodiscard]] Status OnWritable();
  // Reads once, by way of `buffer`, which all connections share.
  [[nodiscard]] Status OnReadable(std::span<char> buffer, LatencyHistogram& latencies);

  // A finished batch's vector, to be filled again.
  [[nodiscard]] std::vector<uint32_t>&& TakeKeyIds() { return std::move(key_ids_); }
  [[nodiscard]] const ReplyReader& Replies() const { return reader_; }
  [[nodiscard]] uint64_t ReceivedBytes() const { return received_bytes_; }
  [[nodiscard]] uint64_t SentBytesTotal() const { return sent_bytes_total_; }
  [[nodiscard]] const std::string& Complaint() const { return complaint_; }

 private:
  void AppendGets(uint32_t keys_per_request);
  void AppendSets();
  Status Fail(std::string complaint);

  const Dataset& dataset_;
  const uint64_t index_;
  ReplyReader reader_;
  int socket_ = -1;
  std::vector<uint32_t> key_ids_;  // of the batch under way
  std::string out_;                // the batch as bytes
  size_t sent_bytes_ = 0;          // of out_
  uint64_t batch_due_ns_ = 0;
  uint64_t received_bytes_ = 0;
  uint64_t sent_bytes_total_ = 0;
  std::string complaint_;
};

// A clock that only goes forward; its zero means nothing.
[[nodiscard]] uint64_t NowNs();

}  // namespace larder::bench
