// tests/server/robustness/server_process.h - the real binary, started on a free port and stopped by
// its process id.
//
// LARDER_UNDER_TEST in the environment names another binary.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/server/net/test_client.h"

namespace larder::server {

using Words = std::vector<std::string>;

// What a run that ended by itself left behind.
struct FinishedRun {
  int exit_code = -1;  // -1: ended by a signal
  std::string out;
  std::string err;
};

// A directory that goes with the test.
class TestDirectory {
 public:
  TestDirectory();
  ~TestDirectory();
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  [[nodiscard]] std::string File(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

[[nodiscard]] std::string ReadFile(const std::string& path);

// As root, every run but those that test it needs to name a user.
[[nodiscard]] Words UserOption();

// Runs the binary until it ends by itself.
[[nodiscard]] FinishedRun RunToEnd(const Words& arguments);

class ServerProcess {
 public:
  // Waits until it serves: on 127.0.0.1 and a free port, unless `arguments` say where.
  explicit ServerProcess(const Words& arguments = {});
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  [[nodiscard]] bool IsRunning();
  [[nodiscard]] uint16_t Port() const { return port_; }
  // 0 without -U.
  [[nodiscard]] uint16_t UdpPort() const { return udp_port_; }
  [[nodiscard]] pid_t Pid() const { return pid_; }
  void Signal(int number) const;
  // Waits for the end; the exit code, or -1 when it was a signal or took too long.
  int Wait();
  [[nodiscard]] TestClient Connect(int receive_buffer_bytes = 0) const;
  // Of /proc/<pid>/status, such as "VmRSS"; the first word behind it.
  [[nodiscard]] std::string Status(const std::string& field) const;
  [[nodiscard]] int64_t ResidentKib() const;
  [[nodiscard]] std::string ErrorOutput() const;
  // The value of one key of `stats`.
  [[nodiscard]] int64_t Stat(const std::string& key) const;

 private:
  TestDirectory directory_;
  pid_t pid_ = -1;
  uint16_t port_ = 0;
  uint16_t udp_port_ = 0;
  bool has_ended_ = false;
  int exit_code_ = -1;
};

// A client as they should all be: every answer must be right, whatever others do meanwhile.
class GoodClient {
 public:
  explicit GoodClient(const ServerProcess& server) : client_(server.Connect()) {}
  // Stores, reads, counts and deletes once; false if any answer was wrong.
  [[nodiscard]] bool IsServed();

 private:
  TestClient client_;
  int round_ = 0;
};

}  // namespace larder::server
