#include "server/version.h"

namespace larder::server {

std::string_view LarderVersion() { return LARDER_VERSION; }

}  // namespace larder::server
