// server/net/look_ahead.h - connections whose input has come and is handled in a moment, so that
// main memory can fetch what they will ask for while the system receives for the next ones.
//
// A request that is the only one of its connection has nothing to overlap its cache misses with but
// the requests of other connections:
//
//     event of                  A             B              C                D
//     receive, look ahead       A             B              C                D
//     look closer                             A              B                C
//     handle                                                 A                B
//
// To look ahead fetches the bucket of a key, to look closer the items in it; each has the time of a
// receive for it, some ten times what main memory takes. When no more events are left, whoever
// waits is handled at once, so that a single connection does not notice.
//
// Each waits in a buffer of its own. The order of a connection's input is kept, for it is watched
// again only when it has been handled; between connections there is none to keep.
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
  // How many wait while a further one is received.
  static constexpr size_t kDepth = 2;
  // Larger input is handled at once: it has requests of its own to overlap.
  static constexpr size_t kInputBytesMax = 512;

  struct Received {
    Connection* connection = nullptr;  // null: closed meanwhile
    std::string_view input;
  };

  // Where the next input is to be received.
  [[nodiscard]] ReadBuffer& Buffer() { return buffers_[next_ % kBufferCount]; }
  // `input` is in Buffer(). REQUIRES: at most kDepth wait.
  void Add(Connection& connection, StreamHandler& handler, std::string_view input) {
    LookCloser();
    At(next_++) = {{&connection, input}, &handler, handler.LookAhead(input)};
  }
  // Before those who are left are taken: none is to come, whose receive would be the time for it.
  void LookCloser() {
    if (Count() == 0) return;
    const Entry& last = At(next_ - 1);
    if (last.foreseen != 0) last.handler->LookCloser(last.foreseen);
  }
  [[nodiscard]] size_t Count() const { return next_ - first_; }
  // Its input is good until the next Add. REQUIRES: Count() > 0
  [[nodiscard]] Received TakeFirst() { return At(first_++).received; }
  // The connection is about to end.
  void Forget(const Connection& connection) {
    for (size_t i = first_; i != next_; ++i) {
      if (At(i).received.connection == &connection) At(i) = {};
    }
  }

 private:
  static constexpr size_t kBufferCount = kDepth + 1;

  struct Entry {
    Received received;
    const StreamHandler* handler = nullptr;
    uint64_t foreseen = 0;  // 0: nothing
  };

  [[nodiscard]] Entry& At(size_t number) { return entries_[number % kBufferCount]; }

  std::array<ReadBuffer, kBufferCount> buffers_;
  std::array<Entry, kBufferCount> entries_;
  size_t first_ = 0;  // counts up for ever, as next_ does
  size_t next_ = 0;
};

}  // namespace larder::server
