#include "server/live_settings.h"

#include "server/settings.h"

namespace larder::server {

LiveSettings::LiveSettings(const Settings& settings) {
#define LIVE(type, name, initial) name.Set(initial);
#include "server/live_settings.def"
#undef LIVE
}

}  // namespace larder::server
