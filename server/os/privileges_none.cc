// The twin of privileges_seccomp.cc for systems without seccomp, and for builds with a sanitizer,
// whose runtime makes calls of its own.
#include "server/os/privileges.h"

namespace larder::server {

bool CanDropPrivileges() { return false; }

std::string KeepOnly(Privileges) { return {}; }

}  // namespace larder::server
