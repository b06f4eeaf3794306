// server/config_file.h - the file that --config names, in either of two forms, told apart by what
// is in it:
//
//   memory-limit = 1024              TOML: the long names of the options and the names of those of
//   listen = ["127.0.0.1", "::1"]    -o are its keys, without tables. Values are numbers, texts,
//   idle_timeout = 60                true and false.
//
//   -m 1024                          memcached.conf, as Debian has it: a line begins with an option
//   -l 127.0.0.1                     as on the command line. `#` begins a comment; -d, -h and lines
//   logfile /var/log/memcached.log   that begin with another word are ignored.
//
// Threads  one at a time: the second form walks with getopt_long.
// Errors   every problem with its line; the options of the other lines are taken all the same.
// Not here what the options mean: option_reader.h; the file itself: os/read_file.h
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/option_reader.h"

namespace larder::server {

struct ConfigProblem {
  uint32_t line = 0;  // the first is 1
  std::string reason;
};

[[nodiscard]] std::vector<ConfigProblem> ReadConfig(std::string_view text, OptionReader& reader);

}  // namespace larder::server
