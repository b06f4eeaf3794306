#include "tests/bench/load_connection.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "tests/bench/local_socket.h"

namespace larder::bench {

uint64_t NowNs() {
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch() /
                               std::chrono::nanoseconds(1));
}

LoadConnection::~LoadConnection() {
  if (socket_ >= 0) close(socket_);
}

bool LoadConnection::Connect(uint16_t port) {
  socket_ = ConnectLocally(port, &complaint_);
  return socket_ >= 0;
}

void LoadConnection::AppendGets(uint32_t keys_per_request) {
  for (size_t i = 0; i < key_ids_.size(); ++i) {
    const bool is_first = i % keys_per_request == 0;
    const bool is_last = (i + 1) % keys_per_request == 0;
    out_ += is_first ? "get " : " ";
    out_ += dataset_.Key(key_ids_[i]);
    if (is_last) out_ += "\r\n";
  }
}

void LoadConnection::AppendSets() {
  const std::string line_end = fmt::format(" 0 0 {}\r\n", dataset_.ValueBytes());
  for (const uint32_t key_id : key_ids_) {
    out_ += "set ";
    out_ += dataset_.Key(key_id);
    out_ += line_end;
    for (uint32_t offset = 0; offset < dataset_.BodyBytes();) {
      const std::string_view part = dataset_.BodyFrom(key_id, offset);
      out_ += part;
      offset += static_cast<uint32_t>(part.size());
    }
  }
}

LoadConnection::Status LoadConnection::StartBatch(Operation operation,
                                                  std::vector<uint32_t>&& key_ids,
                                                  uint32_t keys_per_request, uint64_t due_ns) {
  key_ids_ = std::move(key_ids);
  out_.clear();
  sent_bytes_ = 0;
  if (operation == Operation::kGet) {
    AppendGets(keys_per_request);
  } else {
    AppendSets();
  }
  reader_.StartBatch(operation, key_ids_, keys_per_request);
  batch_due_ns_ = due_ns != 0 ? due_ns : NowNs();
  return OnWritable();
}

LoadConnection::Status LoadConnection::OnWritable() {
  const ssize_t sent = send(socket_, out_.data() + sent_bytes_, out_.size() - sent_bytes_,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno == EAGAIN || errno == EINTR) return Status::kBusy;
    return Fail(fmt::format("send: {}", std::strerror(errno)));
  }
  sent_bytes_ += static_cast<size_t>(sent);
  sent_bytes_total_ += static_cast<uint64_t>(sent);
  return Status::kBusy;
}

LoadConnection::Status LoadConnection::OnReadable(std::span<char> buffer,
                                                  LatencyHistogram& latencies) {
  const ssize_t received = recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (received < 0) {
    if (errno == EAGAIN || errno == EINTR) return Status::kBusy;
    return Fail(fmt::format("recv: {}", std::strerror(errno)));
  }
  if (received == 0) return Fail("the server closed the connection");
  const uint64_t received_at_ns =
      NowNs();  // before the checks below, which are not the server's time
  received_bytes_ += static_cast<uint64_t>(received);

  const uint64_t replies_before = reader_.ReplyCount();
  const std::string_view bytes(buffer.data(), static_cast<size_t>(received));
  if (!reader_.Feed(bytes)) return Fail(reader_.Complaint());
  if (const uint64_t replies = reader_.ReplyCount() - replies_before; replies > 0) {
    latencies.Add(received_at_ns - batch_due_ns_, replies);
  }
  return reader_.Done() ? Status::kBatchDone : Status::kBusy;
}

LoadConnection::Status LoadConnection::Fail(std::string complaint) {
  complaint_ = std::move(complaint);
  return Status::kFailed;
}

}  // namespace larder::bench
