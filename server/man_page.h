// server/man_page.h - the manual page, from the same table as the command line.
//
// Threads  pure function.
// Not here who prints it while the program is built: man_page_main.cc
#pragma once

#include <string>

namespace larder::server {

// In man(7) markup.
[[nodiscard]] std::string ManPage();

}  // namespace larder::server
