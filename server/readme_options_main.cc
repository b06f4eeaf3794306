// Prints README's list of options.
#include <fmt/format.h>

#include "server/help.h"

int main() { fmt::print("{}", larder::server::ReadmeOptions()); }
