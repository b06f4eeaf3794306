// larder: reads the command line, settles the process, runs a Server until a signal ends it.
#include <fmt/format.h>
#include <netinet/in.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "server/cli.h"
#include "server/os/process.h"
#include "server/server.h"

namespace larder::server {
namespace {

void PrintLine(const std::string& line) {
  if (!line.empty()) fmt::print(stderr, "{}\n", line);
}

bool IsRoot() { return ::getuid() == 0 || ::geteuid() == 0; }

// Who to become; nobody when we are not root, for then -u has no meaning.
std::optional<StartFailure> ChooseUser(const Settings& settings, std::optional<UserIds>* user) {
  if (!IsRoot()) return std::nullopt;
  if (settings.user_name.empty()) {
    return StartFailure{kExitUsage, "must add '-u root' to start as root"};
  }
  *user = FindUser(settings.user_name);
  if (user->has_value()) return std::nullopt;
  return StartFailure{kExitNoUser,
                      fmt::format("can't find the user {} to switch to", settings.user_name)};
}

std::optional<StartFailure> SystemFailure(std::string message) {
  if (message.empty()) return std::nullopt;
  return StartFailure{kExitSystem, std::move(message)};
}

// Everything that must be settled before the first thread and the first large allocation, in an
// order that matters: the file limit and locked memory need root, and a lock on memory does not
// outlive the fork to the background.
std::optional<StartFailure> SettleProcess(const Settings& settings, Daemon* daemon) {
  std::optional<UserIds> user;
  if (auto failure = ChooseUser(settings, &user)) return failure;
  const uint64_t fd_count = static_cast<uint64_t>(settings.connections_max) +
                            FrontEnd::OwnFdCount(static_cast<uint32_t>(settings.worker_count));
  if (auto failure = SystemFailure(RaiseFileLimit(fd_count))) return failure;
  if (settings.is_daemon) {
    if (auto failure = SystemFailure(daemon->Begin())) return failure;
  }
  if (settings.lock_memory) PrintLine(LockMemory());
  if (user.has_value()) return SystemFailure(SwitchUser(*user));
  return std::nullopt;
}

// The signals that main waits for. Blocked before any thread starts, so that all inherit it.
sigset_t BlockSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGUSR1, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

void WaitForStop(const sigset_t& signals) {
  int number = 0;
  do {
    sigwait(&signals, &number);
  } while (number == SIGHUP);  // there is nothing to load again
}

// For those who started us with a free port and need to know which; renamed, so that whoever sees
// the file sees all of it.
void WritePortFile(const char* path, const Server& server) {
  const std::string temporary = std::string(path) + ".lck";
  std::ofstream file(temporary);
  for (const ListenSocket& socket : server.Listeners()) {
    if (socket.family == AF_UNIX) continue;
    file << fmt::format("TCP {}: {}\n", socket.family == AF_INET ? "INET" : "INET6", socket.port);
  }
  file.close();
  if (!file || std::rename(temporary.c_str(), path) != 0) {
    PrintLine(fmt::format("Failed to write the port file {}", path));
  }
}

std::optional<StartFailure> Serve(const Settings& settings, Daemon* daemon) {
  const sigset_t signals = BlockSignals();
  StartFailure create_failure;
  const std::unique_ptr<Server> server = Server::Create(settings, &create_failure);
  if (server == nullptr) return create_failure;
  if (auto failure = server->Start()) return failure;

  // Absolute, because a daemon changes its directory.
  std::error_code ignored;
  const std::string pid_path = std::filesystem::absolute(settings.pid_path, ignored);
  if (!settings.pid_path.empty()) PrintLine(WritePidFile(pid_path, ::getpid()));
  if (const char* path = std::getenv("MEMCACHED_PORT_FILENAME")) WritePortFile(path, *server);
  if (settings.is_daemon) daemon->Finish(/*keep_stderr=*/settings.verbosity > 0);

  WaitForStop(signals);
  server->Log(kLogEvent, "Exiting normally");
  server->Stop();
  if (settings.is_daemon && !settings.pid_path.empty()) std::filesystem::remove(pid_path, ignored);
  return std::nullopt;
}

int Main(int count, char** arguments) {
  const CliResult cli = ParseCommandLine(count, arguments);
  for (const std::string& warning : cli.warnings) PrintLine(warning);
  if (cli.action == CliAction::kFail) {
    PrintLine(cli.text);
    return cli.exit_code;
  }
  if (cli.action != CliAction::kRun) {
    fmt::print("{}", cli.text);
    return EXIT_SUCCESS;
  }
  Daemon daemon;
  std::optional<StartFailure> failure = SettleProcess(cli.settings, &daemon);
  if (!failure.has_value()) failure = Serve(cli.settings, &daemon);
  if (!failure.has_value()) return EXIT_SUCCESS;
  PrintLine(failure->message);
  return failure->exit_code;
}

}  // namespace
}  // namespace larder::server

int main(int count, char** arguments) { return larder::server::Main(count, arguments); }
