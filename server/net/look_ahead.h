// server/net/look_ahead.h - connections whose input has come and is handled in a moment, so that
// main memory works meanwhile, and so that what is done for one connection is done for the next
// while its code is still in the processor's nearest cache.
//
// A request that is the only one of its connection has nothing to overlap its cache misses with but
// the requests of other connections:
//
//     receive A, fetch the bucket of its key
//     receive B, fetch the bucket of its key, and the items in A's
//     receive C, fetch the bucket of its key, and the items in B's
//     handle A, handle B, handle C
//
// Each fetch has the time of a receive for it, some ten times what main memory takes. As soon as
// kCountMax wait, or no more events are left, all are handled; so a single connection does not
// notice. The order of a connection's input is kept, for it is watched again only when it has been
// handled; between connections there is none to keep.
//
//     [ input A ][ input B ][ room: the next is received here ... ]
//
// Owner    the worker; connections and handlers are lent, see Forget.
// Threads  the worker's thread.
// Errors   none.
// Not here what is fetched: StreamHandler::LookAhead.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/net/read_buffer.h"
#include "server/net/stream_handler.h"

namespace larder::server {

class Connection;

class LookAhead {
 public:
  // By trial: from 3 on, more made no difference.
  static constexpr size_t kCountMax = 8;
  // Larger input is handled at once: it has requests of its own to overlap.
  static constexpr size_t kInputBytesMax = 512;

  // Where the next input is to be received.
  [[nodiscard]] ReadBuffer& Buffer() { return buffer_; }
  // `input` is in Buffer(). REQUIRES: !IsFull()
  void Add(Connection& connection, StreamHandler& handler, std::string_view input) {
    LookCloser();
    entries_[count_++] = {&connection, input, &handler, handler.LookAhead(input)};
    buffer_.Skip(input.size());
  }
  [[nodiscard]] size_t Count() const { return count_; }
  [[nodiscard]] bool IsFull() const { return count_ == kCountMax; }
  // Calls handle(connection, input) for all, in order. It may call Forget, but not Add.
  template <typename Handle>
  void TakeAll(const Handle& handle) {
    if (count_ == 0) return;
    LookCloser();
    for (size_t i = 0; i < count_; ++i) {
      const Entry entry = entries_[i];
      if (entry.connection != nullptr) handle(*entry.connection, entry.input);
    }
    count_ = 0;
    buffer_.Rewind();
  }
  // The connection is about to end.
  void Forget(const Connection& connection) {
    for (size_t i = 0; i < count_; ++i) {
      if (entries_[i].connection == &connection) entries_[i] = {};
    }
  }

 private:
  struct Entry {
    Connection* connection = nullptr;  // null: closed meanwhile
    std::string_view input;
    const StreamHandler* handler = nullptr;
    uint64_t foreseen = 0;  // 0: nothing
  };

  void LookCloser() {
    if (count_ == 0) return;
    const Entry& last = entries_[count_ - 1];
    if (last.foreseen != 0) last.handler->LookCloser(last.foreseen);
  }

  ReadBuffer buffer_{kCountMax * kInputBytesMax};
  std::array<Entry, kCountMax> entries_;
  size_t count_ = 0;
};

}  // namespace larder::server
