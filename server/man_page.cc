#include "server/man_page.h"

#include <fmt/format.h>

#include <string_view>

#include "server/cli.h"
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

constexpr std::string_view kAfterOptions = R"(.SH SIGNALS
.TP
.BR SIGINT ", " SIGTERM ", " SIGUSR1
stop the server; it exits with 0.
.TP
.BR SIGHUP ", " SIGPIPE
are ignored.
.SH ENVIRONMENT
.TP
.B MEMCACHED_PORT_FILENAME
names a file that the TCP ports are written to, one on a line, as
.RI \(lqTCP " family" : " port" \(rq.
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

std::string OptionEntry(const OptionHelp& row) {
  const std::string argument =
      row.argument.empty() ? "" : fmt::format(" \\fI{}\\fR", Escape(row.argument));
  std::string entry = fmt::format(".TP\n\\fB\\-{}\\fR{}", row.letter, argument);
  if (!row.long_name.empty()) {
    entry += fmt::format(", \\fB\\-\\-{}\\fR", Escape(row.long_name));
    if (!row.argument.empty()) entry += fmt::format("=\\fI{}\\fR", Escape(row.argument));
  }
  entry += fmt::format("\n{}", Escape(row.text));
  if (!row.initial.empty()) entry += fmt::format(" (default: {})", Escape(row.initial));
  return entry + '\n';
}

}  // namespace

std::string ManPage() {
  std::string page =
      fmt::format(".TH LARDER 1 \"\" \"larder {}\" \"User Commands\"\n", LarderVersion());
  page += kBeforeOptions;
  for (const OptionHelp& row : OptionTable()) page += OptionEntry(row);
  page += kAfterOptions;
  return page;
}

}  // namespace larder::server
