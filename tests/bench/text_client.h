// tests/bench/text_client.h - one blocking connection to a memcached text server: bytes out, lines
// and value bodies in.
//
// Owner    owns its socket and its buffer.
// Threads  one thread at a time.
// Errors   values; Complaint() says what happened, and the connection is of no further use.
// Not here latencies and many connections at once: load_connection.h
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace larder::bench {

class TextClient {
 public:
  TextClient();
  ~TextClient();
  TextClient(const TextClient&) = delete;
  TextClient& operator=(const TextClient&) = delete;

  // To 127.0.0.1.
  [[nodiscard]] bool Connect(uint16_t port);
  // Returns when the socket has taken all of it. A server stops reading while its own replies are
  // not read, so what is sent before the next Read must have answers that fit into socket buffers.
  [[nodiscard]] bool Send(std::string_view bytes);
  // The next line, without its "\r\n".
  // Lends: until the next call.
  [[nodiscard]] std::optional<std::string_view> ReadLine();
  // The next `byte_count` bytes, which "\r\n" must follow.
  // Lends: until the next call.
  [[nodiscard]] std::optional<std::string_view> ReadBody(size_t byte_count);

  // Notes why the connection can no longer be used; the first reason stays. Returns false.
  bool Fail(std::string complaint);
  [[nodiscard]] const std::string& Complaint() const { return complaint_; }

 private:
  // Takes at least one more byte from the socket behind those that wait in the buffer.
  [[nodiscard]] bool ReadMore();
  [[nodiscard]] std::string_view Waiting() const {
    return std::string_view(buffer_.data(), buffer_.size()).substr(begin_, end_ - begin_);
  }

  int socket_ = -1;
  std::vector<char> buffer_;
  size_t begin_ = 0;  // of the bytes in buffer_ that were received and not yet handed out
  size_t end_ = 0;
  std::string complaint_;
};

}  // namespace larder::bench
