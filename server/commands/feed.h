// server/commands/feed.h - an answer that somebody else produces while its connection waits: dumps,
// `stats conns`, `watch`.
//
// A handler that cannot answer at once leaves a Feed in WorkerContext::feed and returns
// Status::kNone. The session then takes nothing from the client until the feed is done, and drains
// it whenever its connection is called: first at once, then after each use of the connection's
// Waker, which the producer got from WorkerContext::connection.
//
// Owner    the session owns the feed and destroys it when it is done, or with the connection; a
//          producer that still runs shares its part of the state and must notice.
// Threads  the members here on the connection's worker thread, within its turn.
// Not here what the feeds are: pipe.h, prefix_stats.cc, stats_connections.cc, watch.cc
#pragma once

#include <cstdint>

#include "protocol/reply_sink.h"

namespace larder::server {

class Feed {
 public:
  enum class State : uint8_t {
    kWaiting,   // everything there is was moved; the Waker tells when there is more
    kMore,      // there is more, but enough was moved for one turn
    kDone,      // everything was moved, the answer's end included: back to commands
    kShutdown,  // the conversation is over, and with it the server
  };

  Feed() = default;
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;
  virtual ~Feed() = default;

  // Moves what there is into `replies`, a bounded amount.
  [[nodiscard]] virtual State Drain(protocol::ReplySink& replies) = 0;

  // The client takes its answer so slowly that nobody works on it any more: the conversation ends
  // at once. Asked even while replies wait.
  [[nodiscard]] virtual bool IsHopeless() const { return false; }
  // The client has ended its side of the stream: false ends the conversation, because nobody who
  // listens for ever does that.
  [[nodiscard]] virtual bool GoesOnWithoutPeer() const { return true; }
};

}  // namespace larder::server
