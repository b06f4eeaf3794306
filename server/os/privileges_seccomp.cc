#include <fmt/format.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>

#include "server/os/privileges.h"

namespace larder::server {
namespace {

// Names, not numbers: libseccomp knows which of them this architecture has.
constexpr const char* kAllMayCall[] = {
    // clients
    "read", "readv", "recvfrom", "recvmsg", "recvmmsg", "write", "writev", "sendto", "sendmsg",
    "sendmmsg", "close", "shutdown", "getpeername", "getsockname", "getsockopt", "setsockopt",
    // events, other threads, time
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "poll", "ppoll", "futex",
    "futex_waitv", "membarrier", "sched_yield", "sched_getaffinity", "set_robust_list", "rseq",
    "fstat", "clock_gettime", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
    "restart_syscall",
    // memory, as long as it is not to be executed: see AllowWithoutExecution
    "munmap", "mremap", "madvise", "brk",
    // about itself
    "getpid", "gettid", "getuid", "geteuid", "getrusage", "getrandom", "rt_sigprocmask",
    "rt_sigaction", "rt_sigreturn", "sigreturn", "sigaltstack", "exit", "exit_group"};

constexpr const char* kServingMayCall[] = {"accept", "accept4", "listen", "rt_sigtimedwait",
                                           "prctl", "setpriority",
                                           // going to the background, and cleaning up after it
                                           "dup2", "dup3", "chdir", "unlink", "unlinkat"};

// The C library asks for these and takes no for an answer.
constexpr const char* kFailGently[] = {"open",       "openat", "openat2",    "stat",
                                       "lstat",      "statx",  "newfstatat", "readlink",
                                       "readlinkat", "access", "faccessat"};

constexpr std::string_view kKilled = "a system call that drop_privileges forbids was made: number ";

// May run in the middle of anything: nothing is allocated, no lock is taken.
void OnForbiddenCall(int, siginfo_t* info, void*) {
  char text[kKilled.size() + 16];
  std::copy(kKilled.begin(), kKilled.end(), text);
  size_t size = kKilled.size();
  size_t digits_begin = size;
  unsigned number = static_cast<unsigned>(info->si_syscall);
  do {
    text[size++] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  std::reverse(text + digits_begin, text + size);
  text[size++] = '\n';
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text, size);
  ::_exit(EXIT_FAILURE);
}

struct ReleaseFilter {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};
using Filter = std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, ReleaseFilter>;

// Collects rules; the first that fails is remembered.
class RuleBook {
 public:
  explicit RuleBook(scmp_filter_ctx filter) : filter_(filter) {}

  template <size_t kCount>
  void AddAll(uint32_t action, const char* const (&names)[kCount]) {
    for (const char* name : names) Add(action, name);
  }
  template <typename... Conditions>
  void Add(uint32_t action, const char* name, Conditions... conditions) {
    const int number = ::seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || error_ != 0) return;  // not a call of this system
    error_ = ::seccomp_rule_add(filter_, action, number, sizeof...(conditions), conditions...);
  }
  [[nodiscard]] int Error() const { return error_; }

 private:
  scmp_filter_ctx filter_;
  int error_ = 0;
};

// libseccomp's macros for this are C.
scmp_arg_cmp If(unsigned argument, scmp_compare comparison, scmp_datum_t one, scmp_datum_t other) {
  return {argument, comparison, one, other};
}

// Memory to write to is fine; memory to run is how an intruder begins.
void AllowWithoutExecution(RuleBook& rules) {
  const scmp_arg_cmp is_not_executable = If(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
  rules.Add(SCMP_ACT_ALLOW, "mmap", is_not_executable);
  rules.Add(SCMP_ACT_ALLOW, "mprotect", is_not_executable);
}

// A thread, not a process. The flags of clone3 lie in memory, where no filter sees them; who is
// told that there is no such call falls back to clone.
void AllowThreads(RuleBook& rules) {
  rules.Add(SCMP_ACT_ALLOW, "clone", If(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
  rules.Add(SCMP_ACT_ERRNO(ENOSYS), "clone3");
}

// To itself: `shutdown`, and abort().
void AllowOwnSignals(RuleBook& rules) {
  const auto own_pid = static_cast<scmp_datum_t>(::getpid());
  rules.Add(SCMP_ACT_ALLOW, "kill", If(0, SCMP_CMP_EQ, own_pid, 0));
  rules.Add(SCMP_ACT_ALLOW, "tgkill", If(0, SCMP_CMP_EQ, own_pid, 0));
}

}  // namespace

bool CanDropPrivileges() { return true; }

std::string KeepOnly(Privileges privileges) {
  struct sigaction action {};
  action.sa_sigaction = OnForbiddenCall;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGSYS, &action, nullptr);

  const Filter filter(::seccomp_init(SCMP_ACT_TRAP));
  if (filter == nullptr) return "failed to set up a seccomp filter";
  RuleBook rules(filter.get());
  rules.AddAll(SCMP_ACT_ALLOW, kAllMayCall);
  rules.AddAll(SCMP_ACT_ERRNO(EACCES), kFailGently);
  AllowWithoutExecution(rules);
  AllowOwnSignals(rules);
  if (privileges == Privileges::kServing) {
    rules.AddAll(SCMP_ACT_ALLOW, kServingMayCall);
    AllowThreads(rules);
    // A worker adds its own filter to this one.
    rules.Add(SCMP_ACT_ALLOW, "seccomp");
  }
  const int error = rules.Error() != 0 ? rules.Error() : ::seccomp_load(filter.get());
  if (error == 0) return {};
  return fmt::format("failed to set a seccomp filter: {}", std::strerror(-error));
}

}  // namespace larder::server
