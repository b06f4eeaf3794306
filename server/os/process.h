// server/os/process.h - what main asks of the operating system for the process as a whole: limits
// of files and core dumps, user, locked memory, background, pid file.
//
// Threads  the main thread, before any other is started: daemon and user must be settled by then.
// Errors   a sentence for the operator, empty when all is well.
// Not here which signals stop the server: server/main.cc
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "server/os/unique_fd.h"

namespace larder::server {

// Makes room for `fd_count` open files. A limit that is already higher stays: lowering it to the
// number of clients, as memcached does, leaves no room for the server's own files, so that fewer
// clients than were asked for get in.
[[nodiscard]] std::string RaiseFileLimit(uint64_t fd_count);

// Lets a crash leave a core file as large as it goes.
[[nodiscard]] std::string AllowCoreFiles();

struct UserIds {
  uid_t uid = 0;
  gid_t gid = 0;
};
[[nodiscard]] std::optional<UserIds> FindUser(const std::string& name);
// Gives up root, supplementary groups included. Who may not change his groups, as in a container
// that has nobody else, keeps them. `keeps_core`: AllowCoreFiles still holds afterwards.
[[nodiscard]] std::string SwitchUser(const UserIds& ids, bool keeps_core);

// Keeps all present and future memory out of swap. Pages are locked when they are first touched.
[[nodiscard]] std::string LockMemory();

// Writes `<pid>\n` under a temporary name first, so that nobody ever reads half of it.
[[nodiscard]] std::string WritePidFile(const std::string& path, pid_t pid);

// A process that goes to the background, but only once it works: the command on the shell returns
// when Finish is called, or with the exit code of a server that could not start.
class Daemon {
 public:
  struct Keep {
    bool stderr_open = false;  // detaching from the terminal leaves it stderr
    bool directory = false;    // core files go there
  };

  // Forks. The parent waits here and exits; the child returns, in its own session.
  [[nodiscard]] std::string Begin();
  // Lets the parent exit with 0, then detaches from the terminal. Opens nothing.
  void Finish(Keep keep);

 private:
  UniqueFd null_;
  UniqueFd ready_;
};

}  // namespace larder::server
