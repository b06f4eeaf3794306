// tests/clients/server_fixture.h - starts the server under test on a free port of 127.0.0.1.
//
// Owner    whoever constructs it; the destructor stops the process by its pid and waits for it.
// Errors   throws std::runtime_error when the server does not start. Stop() says how it ended.
// Not here the same for Python: server_fixture.py
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace larder::clients {

// A UDP port of 127.0.0.1 that nothing listens on at this moment.
uint16_t FreeUdpPort();

class ServerFixture {
 public:
  // The binary is the one that the environment variable LARDER_UNDER_TEST names. Returns once the
  // server answers `version`.
  explicit ServerFixture(const std::vector<std::string>& flags = {});
  ~ServerFixture();
  ServerFixture(const ServerFixture&) = delete;
  ServerFixture& operator=(const ServerFixture&) = delete;

  [[nodiscard]] uint16_t port() const { return port_; }

  // Sends SIGTERM and waits; true if the process was alive and ended with status 0.
  [[nodiscard]] bool Stop();

 private:
  bool TryStart(const std::vector<std::string>& flags);

  pid_t pid_ = -1;
  uint16_t port_ = 0;
};

}  // namespace larder::clients
