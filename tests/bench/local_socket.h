// tests/bench/local_socket.h - a connection to a server under test on 127.0.0.1.
//
// Errors   a sentence in `complaint`.
#pragma once

#include <cstdint>
#include <string>

namespace larder::bench {

// A blocking socket that sends at once what it is given; -1 on failure. The caller closes it.
[[nodiscard]] int ConnectLocally(uint16_t port, std::string* complaint);

}  // namespace larder::bench
