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
#include <string_view>
#include <utility>
#include <vector>

#include "server/cli.h"
#include "server/os/log.h"
#include "server/os/privileges.h"
#include "server/os/process.h"
#include "server/os/read_file.h"
#include "server/server.h"

namespace larder::server {
namespace {

// For what is said before there are settings.
void PrintLine(const std::string& line) {
  if (!line.empty()) fmt::print(stderr, "{}\n", line);
}

void Warn(Log& log, const std::string& line) {
  if (!line.empty()) log.Write(kLogWarning, line);
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
std::optional<StartFailure> SettleProcess(const Settings& settings, Log& log, Daemon* daemon) {
  std::optional<UserIds> user;
  if (auto failure = ChooseUser(settings, &user)) return failure;
  if (settings.dump_core) {
    if (auto failure = SystemFailure(AllowCoreFiles())) return failure;
  }
  if (auto failure = SystemFailure(RaiseFileLimit(Server::FdCount(settings)))) return failure;
  if (settings.is_daemon) {
    if (auto failure = SystemFailure(daemon->Begin())) return failure;
  }
  if (settings.lock_memory) Warn(log, LockMemory());
  if (user.has_value()) return SystemFailure(SwitchUser(*user, settings.dump_core));
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

// True: a graceful stop was asked for.
bool WaitForStop(const sigset_t& signals) {
  int number = 0;
  do {
    sigwait(&signals, &number);
  } while (number == SIGHUP);  // there is nothing to load again
  return number == SIGUSR1;
}

// To the process, so that it is main's sigwait that gets it.
void StopBySignal(bool graceful) { ::kill(::getpid(), graceful ? SIGUSR1 : SIGINT); }

// Of sockets that have a family and a port.
template <typename Sockets>
std::string PortLines(std::string_view transport, const Sockets& sockets) {
  std::string lines;
  for (const auto& socket : sockets) {
    if (socket.family == AF_UNIX) continue;
    const char* const family = socket.family == AF_INET ? "INET" : "INET6";
    lines += fmt::format("{} {}: {}\n", transport, family, socket.port);
  }
  return lines;
}

// For those who started us with a free port and need to know which; renamed, so that whoever sees
// the file sees all of it.
void WritePortFile(const char* path, const Server& server, Log& log) {
  const std::string temporary = std::string(path) + ".lck";
  std::ofstream file(temporary);
  file << PortLines("TCP", server.Listeners()) << PortLines("UDP", server.UdpPorts());
  file.close();
  if (!file || std::rename(temporary.c_str(), path) != 0) {
    Warn(log, fmt::format("Failed to write the port file {}", path));
  }
}

// Once the listeners are open whoever connects waits for Start, so that the files that say where
// and who we are may come first; then the process needs no other file, and gives up the right to.
std::optional<StartFailure> StartServer(Server& server, const Settings& settings,
                                        const std::string& pid_path, Log& log) {
  if (!pid_path.empty()) Warn(log, WritePidFile(pid_path, ::getpid()));
  if (const char* path = std::getenv("MEMCACHED_PORT_FILENAME")) WritePortFile(path, server, log);
  if (settings.drop_privileges) {
    if (std::string error = KeepOnly(Privileges::kServing); !error.empty()) {
      return StartFailure{kExitFailure, std::move(error)};
    }
  }
  server.OnStopRequest(StopBySignal);
  return server.Start();
}

std::optional<StartFailure> Serve(const Settings& settings, Log& log, Daemon* daemon) {
  const sigset_t signals = BlockSignals();
  StartFailure create_failure;
  const std::unique_ptr<Server> server = Server::Create(settings, &create_failure);
  if (server == nullptr) return create_failure;
  // Absolute, because a daemon changes its directory.
  std::error_code ignored;
  const std::string pid_path = settings.pid_path.empty()
                                   ? std::string()
                                   : std::filesystem::absolute(settings.pid_path, ignored).string();
  if (auto failure = StartServer(*server, settings, pid_path, log)) return failure;
  if (settings.is_daemon) {
    daemon->Finish({.stderr_open = settings.verbosity > 0, .directory = settings.dump_core});
  }
  const bool graceful = WaitForStop(signals);
  if (graceful) {
    server->Log(kLogWarning, "Gracefully stopping");  // memcached says this without -v, too
  } else {
    server->Log(kLogEvent, "Exiting normally");
  }
  server->Stop();
  if (settings.is_daemon && !pid_path.empty()) ::unlink(pid_path.c_str());
  return std::nullopt;
}

// --check: the options themselves are fine by now.
int CheckOnly(const Settings& settings) {
  std::optional<StartFailure> failure = Server::Check(settings);
  if (!failure.has_value() && !settings.user_name.empty() && IsRoot()) {
    std::optional<UserIds> user;
    failure = ChooseUser(settings, &user);
  }
  if (failure.has_value()) {
    PrintLine(failure->message);
    return failure->exit_code;
  }
  fmt::print("larder: these options are fine\n");
  return EXIT_SUCCESS;
}

int Explain(const Settings& settings) {
  if (const std::optional<StartFailure> failure = Server::Check(settings)) {
    PrintLine(failure->message);
    return failure->exit_code;
  }
  fmt::print("{}", Server::ExplainMemory(settings));
  return EXIT_SUCCESS;
}

int Run(const Settings& settings, const std::vector<std::string>& warnings) {
  Log log(settings.verbosity, settings.log_format);
  for (const std::string& warning : warnings) Warn(log, warning);
  Daemon daemon;
  std::optional<StartFailure> failure = SettleProcess(settings, log, &daemon);
  if (!failure.has_value()) failure = Serve(settings, log, &daemon);
  if (!failure.has_value()) return EXIT_SUCCESS;
  log.Write(kLogWarning, failure->message);
  return failure->exit_code;
}

int Main(int count, char** arguments) {
  const CliResult cli = ParseCommandLine(count, arguments, ReadSmallFile);
  switch (cli.action) {
    case CliAction::kRun:
      return Run(cli.settings, cli.warnings);
    case CliAction::kCheck:
      for (const std::string& warning : cli.warnings) PrintLine(warning);
      return CheckOnly(cli.settings);
    case CliAction::kExplain:
      for (const std::string& warning : cli.warnings) PrintLine(warning);
      return Explain(cli.settings);
    case CliAction::kFail:
      PrintLine(cli.text);
      return cli.exit_code;
    default:
      fmt::print("{}", cli.text);
      return EXIT_SUCCESS;
  }
}

}  // namespace
}  // namespace larder::server

int main(int count, char** arguments) { return larder::server::Main(count, arguments); }
