// server/net/connection_facts.h - what can be told of a connection, a listener or a UDP socket at
// one moment: the lines of `stats conns`.
//
// Units    seconds.
// Threads  plain values.
// Not here how they are gathered: front_end.h; how they are written: server/commands/
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace larder::server {

struct ConnectionFacts {
  // Beside each: memcached's name for it.
  enum class State : uint8_t {
    kListening,  // conn_listening
    kNew,        // conn_new_cmd: its client has said nothing yet
    kRead,       // conn_read: waits for a command, or for the rest of one
    kValue,      // conn_nread: a value is under way
    kSwallow,    // conn_swallow: the value of a refused command is under way
    kWriting,    // conn_mwrite: replies wait until the peer takes them
    kAwaiting,   // conn_watch: somebody else is at work on the answer (who asks is in it, too)
    kParsing,    // conn_parse_cmd: requests wait for their turn
    kClosing,    // conn_closing: replies wait, and nothing follows
  };

  int fd = -1;
  bool is_udp = false;
  State state = State::kRead;
  // tcp:127.0.0.1:11211, tcp6:[::1]:11211, udp:.., udp6:.., unix:/path
  std::string address;
  std::string listen_address;  // empty for listeners and UDP sockets
  uint32_t seconds_since_last_command = 0;
};

// The facts in order of `fd`, shared by all who asked for them.
using SharedConnectionFacts = std::shared_ptr<const std::vector<ConnectionFacts>>;
// Called on the thread that gathered the last of them.
using TakeConnectionFacts = std::function<void(SharedConnectionFacts facts)>;

}  // namespace larder::server
