// What -o drop_privileges leaves: each case runs in a child process, because there is no way back.
#include "server/os/privileges.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include "server/os/unique_fd.h"

namespace larder::server {
namespace {

struct Ended {
  int exit_code = -1;  // -1: by `signal`
  int signal = 0;
  std::string err;
};

// Runs `act` in a child that may call no more than `privileges`; its answer is the exit code.
Ended ActWith(Privileges privileges, const std::function<int()>& act) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(write_end.Get(), STDERR_FILENO);
    ::_exit(KeepOnly(privileges).empty() ? act() : 99);
  }
  write_end.Close();
  Ended ended;
  char block[256];
  for (ssize_t count = 0; (count = ::read(read_end.Get(), block, sizeof(block))) > 0;) {
    ended.err.append(block, static_cast<size_t>(count));
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  return ended;
}

constexpr std::string_view kKilled = "a system call that drop_privileges forbids was made: number ";

// Where the thread has blocked all signals, as the C library does around some calls, there is no
// last word.
bool IsKilled(const Ended& ended) {
  const bool says_so = ended.err.find(kKilled) != std::string::npos;
  return ended.signal == SIGSYS || (ended.exit_code == EXIT_FAILURE && says_so);
}

int OpenSocket() { return ::socket(AF_INET, SOCK_STREAM, 0) < 0 ? errno : 0; }
int OpenFile() { return ::open("/etc/passwd", O_RDONLY) < 0 ? errno : 0; }
int Execute() {
  ::execl("/bin/true", "true", nullptr);
  return errno;
}
int Fork() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  return child < 0 ? errno : 0;
}
int MapExecutable() {
  void* const memory =
      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? errno : 0;
}
int SignalParent() { return ::kill(::getppid(), 0) < 0 ? errno : 0; }
int RunThread() {
  std::thread([] {}).join();
  return 0;
}
int TalkAndAllocate() {
  // Through all of the allocator's ways to get memory and to give it back.
  for (size_t bytes = 16; bytes < (size_t{1} << 26); bytes *= 2) {
    void* const memory = std::malloc(bytes);
    if (memory == nullptr) return 1;
    static_cast<volatile char*>(memory)[bytes - 1] = 1;
    std::free(memory);
  }
  return ::write(STDERR_FILENO, "fine", 4) == 4 && ::getpid() > 0 ? 0 : 2;
}

TEST_CASE("a forbidden call ends the process and is named, on workers and elsewhere") {
  if (!CanDropPrivileges()) return;
  for (const Privileges privileges : {Privileges::kServing, Privileges::kWorker}) {
    CHECK(IsKilled(ActWith(privileges, OpenSocket)));
    CHECK(IsKilled(ActWith(privileges, Execute)));
    CHECK(IsKilled(ActWith(privileges, Fork)));
    CHECK(IsKilled(ActWith(privileges, MapExecutable)));
    CHECK(IsKilled(ActWith(privileges, SignalParent)));
  }
  const Ended ended = ActWith(Privileges::kWorker, OpenSocket);
  CHECK(ended.err == std::string(kKilled) + std::to_string(SYS_socket) + "\n");
}

TEST_CASE("without the filter the same calls are answered") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(OpenSocket() == 0 && MapExecutable() == 0 && Fork() == 0 ? 0 : 1);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a file that is opened is refused without ending the process") {
  if (!CanDropPrivileges()) return;
  CHECK(ActWith(Privileges::kServing, OpenFile).exit_code == EACCES);
  CHECK(ActWith(Privileges::kWorker, OpenFile).exit_code == EACCES);
}

TEST_CASE("what serving needs goes on") {
  if (!CanDropPrivileges()) return;
  CHECK(ActWith(Privileges::kServing, TalkAndAllocate).exit_code == 0);
  CHECK(ActWith(Privileges::kWorker, TalkAndAllocate).exit_code == 0);
}

TEST_CASE("threads are started by the server, and never by a worker") {
  if (!CanDropPrivileges()) return;
  CHECK(ActWith(Privileges::kServing, RunThread).exit_code == 0);
  CHECK(IsKilled(ActWith(Privileges::kWorker, RunThread)));
}

TEST_CASE("a worker takes more from itself than the server has left it") {
  if (!CanDropPrivileges()) return;
  const Ended ended = ActWith(Privileges::kServing, [] {
    int exit_code = 98;
    std::thread([&] {
      if (!KeepOnly(Privileges::kWorker).empty()) return;
      exit_code = TalkAndAllocate();
      ::listen(-1, 1);  // the acceptor's
      exit_code = 97;
    }).join();
    return exit_code;
  });
  CHECK(IsKilled(ended));
}

}  // namespace
}  // namespace larder::server
