#include "tests/clients/server_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <thread>

namespace larder::clients {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto kReadyTimeout = std::chrono::seconds(20);
constexpr auto kStopTimeout = std::chrono::seconds(20);
constexpr auto kPollInterval = milliseconds(10);
constexpr int kStartAttempts = 5;

sockaddr_in LoopbackAddress(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// A port that nothing listens on at this moment; of TCP or of UDP, as the socket type says.
uint16_t FreePort(int type) {
  const int probe = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  sockaddr_in address = LoopbackAddress(0);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = bind(probe, generic, size) == 0 && getsockname(probe, generic, &size) == 0;
  close(probe);
  if (!bound) throw std::runtime_error("there is no free port");
  return ntohs(address.sin_port);
}

bool AnswersVersion(uint16_t port) {
  const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience = {.tv_sec = 5, .tv_usec = 0};
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  sockaddr_in address = LoopbackAddress(port);
  char reply[64] = {};
  const bool answered =
      connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
      send(connection, "version\r\n", 9, MSG_NOSIGNAL) == 9 &&
      recv(connection, reply, sizeof(reply) - 1, 0) > 0;
  close(connection);
  return answered && std::strncmp(reply, "VERSION ", 8) == 0;
}

pid_t Spawn(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = -1;
  if (posix_spawn(&pid, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0) {
    throw std::runtime_error("cannot start " + command.front());
  }
  return pid;
}

std::vector<std::string> CommandLine(const std::vector<std::string>& flags, uint16_t port) {
  const char* binary = std::getenv("LARDER_UNDER_TEST");
  if (binary == nullptr) throw std::runtime_error("LARDER_UNDER_TEST names no server");
  std::vector<std::string> command = {binary, "-l", "127.0.0.1", "-p", std::to_string(port)};
  command.insert(command.end(), flags.begin(), flags.end());
  if (geteuid() == 0) command.insert(command.end(), {"-u", "root"});
  return command;
}

}  // namespace

uint16_t FreeUdpPort() { return FreePort(SOCK_DGRAM); }

ServerFixture::ServerFixture(const std::vector<std::string>& flags) {
  // Between choosing a free port and binding it somebody else may take it.
  for (int attempt = 0; attempt < kStartAttempts; ++attempt) {
    if (TryStart(flags)) return;
  }
  throw std::runtime_error("the server under test does not start");
}

ServerFixture::~ServerFixture() { (void)Stop(); }

bool ServerFixture::TryStart(const std::vector<std::string>& flags) {
  port_ = FreePort(SOCK_STREAM);
  pid_ = Spawn(CommandLine(flags, port_));
  const auto deadline = steady_clock::now() + kReadyTimeout;
  while (steady_clock::now() < deadline) {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return false;
    }
    if (AnswersVersion(port_)) return true;
    std::this_thread::sleep_for(kPollInterval);
  }
  (void)Stop();
  return false;
}

bool ServerFixture::Stop() {
  if (pid_ < 0) return false;
  int status = 0;
  const bool died_early = waitpid(pid_, &status, WNOHANG) == pid_;
  if (!died_early) {
    kill(pid_, SIGTERM);
    const auto deadline = steady_clock::now() + kStopTimeout;
    while (waitpid(pid_, &status, WNOHANG) == 0) {
      if (steady_clock::now() > deadline) kill(pid_, SIGKILL);
      std::this_thread::sleep_for(kPollInterval);
    }
  }
  pid_ = -1;
  return !died_early && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace larder::clients
