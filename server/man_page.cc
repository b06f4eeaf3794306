#include "server/man_page.h"

#include <fmt/format.h>

#include <string_view>

#include "server/help.h"
#include "server/option_table.h"
#include "server/version.h"

namespace larder::server {
namespace {

constexpr std::string_view kBeforeOptions = R"(.SH NAME
larder \- cache server that speaks the memcached protocol
.SH SYNOPSIS
.B larder
[\fIoption\fR ...]
.SH DESCRIPTION
.B larder
keeps small values under short keys in memory, for the clients of
.BR memcached (1).
It takes memcached's options, answers its commands and shows its statistics.
.PP
Numbers may have blanks before them, long options may be abbreviated, of an option given twice the
last one counts, and words that are no options are ignored.
.SH OPTIONS
)";

constexpr std::string_view kBeforeSubOptions = R"(.SH EXTENDED OPTIONS
These are given to
.BR \-o ,
separated by commas and without blanks, or are keys of a configuration file.
)";

constexpr std::string_view kAfterOptions = R"(.SH CONFIGURATION FILE
.B \-\-config
reads a file in one of two forms, which it tells apart by itself.
.PP
In TOML, the long names of the options and the names of the extended ones are keys. Options without
an argument are true or false,
.B verbose
is a number,
.B listen
may be a list. There are no tables.
.PP
.nf
    memory\-limit = 1024
    listen = ["127.0.0.1", "::1"]
    idle_timeout = 60
    track_sizes = true
.fi
.PP
As Debian's
.IR /etc/memcached.conf ,
a line has an option as on the command line;
.B #
begins a comment, and
.BR \-d ,
.B \-h
and lines that do not begin with a dash are ignored.
.PP
What the command line says wins.
.B \-\-check
tells what is wrong, with file and line, and exits with 0 if nothing is.
.SH SIGNALS
.TP
.BR SIGINT ", " SIGTERM ", " SIGUSR1
stop the server; it exits with 0.
.TP
.BR SIGHUP ", " SIGPIPE
are ignored.
.SH ENVIRONMENT
.TP
.B MEMCACHED_PORT_FILENAME
names a file that the ports are written to, one on a line, as
.RI \(lqTCP " family" : " port" \(rq
or
.RI \(lqUDP " family" : " port" \(rq.
.SH EXIT STATUS
.TP
.B 0
stopped by a signal
.TP
.B 1
an unknown option or a bad value
.TP
.B 64
values that do not go together
.TP
.B 67
no such user
.TP
.B 71
the system refused something, such as an address to listen on
.SH SEE ALSO
.BR memcached (1)
)";

// Plain text as markup: a hyphen that is typed stays one, and nothing is taken for a request.
std::string Escape(std::string_view text) {
  std::string escaped;
  for (const char byte : text) {
    if (byte == '\\') {
      escaped += "\\e";
    } else if (byte == '-') {
      escaped += "\\-";
    } else {
      escaped += byte;
    }
  }
  return escaped;
}

// `name`, and `argument` behind `joint` if there is one.
std::string Usage(std::string_view name, std::string_view joint, const Option& option) {
  std::string usage = fmt::format("\\fB{}\\fR", Escape(name));
  if (option.TakesArgument()) usage += fmt::format("{}\\fI{}\\fR", joint, Escape(option.argument));
  return usage;
}

std::string DashEntry(const Option& option) {
  std::string usages;
  if (option.letter != '\0') {
    usages = Usage(std::string("-") + option.letter, " ", option) + ", ";
  }
  usages += Usage(std::string("--") + option.name, "=", option);
  return fmt::format(".TP\n{}\n{}\n", usages, Escape(Describe(option)));
}

std::string SubEntry(const Option& option) {
  return fmt::format(".TP\n{}\n{}\n", Usage(option.name, "=", option), Escape(Describe(option)));
}

}  // namespace

std::string ManPage() {
  std::string page =
      fmt::format(".TH LARDER 1 \"\" \"larder {}\" \"User Commands\"\n", LarderVersion());
  page += kBeforeOptions;
  for (const Option& row : DashOptions()) {
    if (row.role != OptionRole::kAbsent) page += DashEntry(row);
  }
  page += kBeforeSubOptions;
  for (const Option& row : SubOptions()) {
    if (row.role != OptionRole::kAbsent) page += SubEntry(row);
  }
  page +=
      fmt::format(".PP\nRefused, because this build is without: {}.\n", Escape(AbsentOptions()));
  page += kAfterOptions;
  return page;
}

}  // namespace larder::server
