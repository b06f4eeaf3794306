// server/os/privileges.h - takes from a thread, and from all that it starts afterwards, the system
// calls that serving does not need (-o drop_privileges). There is no way back.
//
// What happens to a forbidden call: opening a file, or asking about one, fails with EACCES, because
// the C library tries that now and then and can do without. Anything else ends the process at once,
// with a line on stderr that names the call, and exit code 1, as memcached does.
//
// Threads  each call concerns the calling thread.
// Errors   a sentence for the operator, empty when all is well.
// Not here who calls when: main.cc (all threads, before the first is started), server.cc (workers).
#pragma once

#include <cstdint>
#include <string>

namespace larder::server {

enum class Privileges : uint8_t {
  kServing,  // what any thread of a server that listens already may need, and the end of it
  kWorker,   // what is left of that to one that only talks to clients: no accept, no new threads
};

// False where the system or this build has no such filter; then KeepOnly has nothing to say either.
[[nodiscard]] bool CanDropPrivileges();

[[nodiscard]] std::string KeepOnly(Privileges privileges);

}  // namespace larder::server
