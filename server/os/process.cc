#include "server/os/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace larder::server {
namespace {

constexpr int kExitStartFailed = 71;  // EX_OSERR, for a child that died of a signal

bool WriteWhole(int fd, const std::string& text) {
  return ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// The parent's half of Daemon: one byte means ready, end of file that the child is gone.
[[noreturn]] void WaitForChild(int ready_fd, pid_t child) {
  char byte = 0;
  ssize_t count = 0;
  do {
    count = ::read(ready_fd, &byte, 1);
  } while (count < 0 && errno == EINTR);
  if (count == 1) ::_exit(EXIT_SUCCESS);
  int status = 0;
  if (::waitpid(child, &status, 0) == child && WIFEXITED(status)) ::_exit(WEXITSTATUS(status));
  ::_exit(kExitStartFailed);
}

}  // namespace

std::string RaiseFileLimit(uint64_t fd_count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return "failed to getrlimit number of files";
  if (limit.rlim_cur >= fd_count) return {};
  limit.rlim_cur = fd_count;
  limit.rlim_max = std::max<rlim_t>(limit.rlim_max, fd_count);
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) return {};
  return "failed to set rlimit for open files. Try starting as root or requesting smaller "
         "maxconns value.";
}

std::string AllowCoreFiles() {
  rlimit limit{};
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  if (::setrlimit(RLIMIT_CORE, &unlimited) == 0) return {};
  const bool is_known = ::getrlimit(RLIMIT_CORE, &limit) == 0;
  limit.rlim_cur = limit.rlim_max;
  if (is_known && limit.rlim_max > 0 && ::setrlimit(RLIMIT_CORE, &limit) == 0) return {};
  return "failed to ensure corefile creation";
}

std::optional<UserIds> FindUser(const std::string& name) {
  const passwd* entry = ::getpwnam(name.c_str());
  if (entry == nullptr) return std::nullopt;
  return UserIds{entry->pw_uid, entry->pw_gid};
}

std::string SwitchUser(const UserIds& ids, bool keeps_core) {
  if (::setgroups(0, nullptr) != 0 && errno != EPERM) {
    return fmt::format("failed to drop supplementary groups: {}", std::strerror(errno));
  }
  if (::setgid(ids.gid) != 0 || ::setuid(ids.uid) != 0) {
    return fmt::format("failed to assume identity of user {}: {}", ids.uid, std::strerror(errno));
  }
  // A process that changed its user leaves no core file unless it says that it may.
  if (keeps_core) ::prctl(PR_SET_DUMPABLE, 1);
  return {};
}

std::string LockMemory() {
  // With a finite limit the lock may succeed now and a later allocation fail because of it, which
  // is worse than memory that is not locked.
  rlimit limit{};
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  const bool is_unlimited =
      (::getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY) ||
      ::setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0;
  if (is_unlimited && ::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0) return {};
  return fmt::format("warning: -k invalid, mlockall() failed: {}", std::strerror(errno));
}

std::string WritePidFile(const std::string& path, pid_t pid) {
  const std::string temporary = path + ".tmp";
  UniqueFd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) {
    return fmt::format("Could not open the pid file {} for writing: {}", temporary,
                       std::strerror(errno));
  }
  if (!WriteWhole(file.Get(), fmt::format("{}\n", pid))) {
    return fmt::format("Could not write the pid file {}: {}", temporary, std::strerror(errno));
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return fmt::format("Could not rename the pid file from {} to {}: {}", temporary, path,
                       std::strerror(errno));
  }
  return {};
}

std::string Daemon::Begin() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return "failed to daemonize: no pipe";
  UniqueFd read_end(ends[0]);
  ready_ = UniqueFd(ends[1]);
  null_ = UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC));
  std::fflush(nullptr);  // or the child would print again what the parent has not yet
  const pid_t child = ::fork();
  if (child < 0) return fmt::format("failed to daemonize: {}", std::strerror(errno));
  if (child > 0) {
    ready_.Close();
    WaitForChild(read_end.Get(), child);
  }
  if (::setsid() < 0) return fmt::format("failed to daemonize: {}", std::strerror(errno));
  return {};
}

void Daemon::Finish(Keep keep) {
  // A daemon should not pin a mount.
  [[maybe_unused]] const int changed = keep.directory ? 0 : ::chdir("/");
  if (null_) {
    ::dup2(null_.Get(), STDIN_FILENO);
    ::dup2(null_.Get(), STDOUT_FILENO);
    if (!keep.stderr_open) ::dup2(null_.Get(), STDERR_FILENO);
  }
  null_.Close();
  WriteWhole(ready_.Get(), "r");
  ready_.Close();
}

}  // namespace larder::server
