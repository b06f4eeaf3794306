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

#include "server/net/stream_handler.h"

namespace larder::server {

struct ListenAddress {
  std::string host;   // a name or a number; empty: every address of this machine
  uint16_t port = 0;  // 0: the system picks a free one
  // Not a failure when this machine has no such address: our own ::1 where IPv6 is off.
  bool is_optional = false;
  Binding protocols = Binding::kAuto;
};

struct ListenList {
  std::vector<ListenAddress> addresses;
  std::string error;
};

// `text`: elements separated by ',' or ';', each host, host:port, [v6], [v6]:port, v6, * or *:port.
// Empty elements are skipped. `default_port` and `default_protocols` go to elements that name none.
//
// Before an element may stand, in any order and number:
//     proto[ascii] proto[binary] proto[negotiating]   each with a ':' behind it
//     notls:                    as it is: there is no TLS here, so btls: and mtls: are refused
//     tag[name]: or tag_name_:  for the proxy, which is not here; one to eight characters
[[nodiscard]] ListenList ParseListenList(std::string_view text, uint16_t default_port,
                                         Binding default_protocols = Binding::kAuto);

}  // namespace larder::server
