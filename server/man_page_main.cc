// Prints the manual page; runs while the program is built.
#include <cstdio>

#include "server/man_page.h"

int main() {
  const std::string page = larder::server::ManPage();
  const bool is_written = std::fwrite(page.data(), 1, page.size(), stdout) == page.size();
  return is_written && std::fflush(stdout) == 0 ? 0 : 1;
}
