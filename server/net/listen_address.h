// server/net/listen_address.h - what `-l` means: the addresses in a list, before any is looked up.
//
// Threads  pure functions.
// Errors   a sentence for the operator in ListenList::error; then `addresses` is not to be used.
// Not here names to numbers, and sockets: listener.h
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace larder::server {

struct ListenAddress {
  std::string host;   // a name or a number; empty: every address of this machine
  uint16_t port = 0;  // 0: the system picks a free one
  // Not a failure when this machine has no such address: our own ::1 where IPv6 is off.
  bool is_optional = false;
};

struct ListenList {
  std::vector<ListenAddress> addresses;
  std::string error;
};

// `text`: elements separated by ',' or ';', each host, host:port, [v6], [v6]:port, v6, * or *:port.
// Empty elements are skipped. `default_port` goes to elements that name none.
[[nodiscard]] ListenList ParseListenList(std::string_view text, uint16_t default_port);

}  // namespace larder::server
