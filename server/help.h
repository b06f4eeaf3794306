// server/help.h - what people are told about the options: the text of -h, the licence, README's
// list. All from the one table of options.
//
// Threads  pure functions.
// Not here the manual page: man_page.h
#pragma once

#include <string>

#include "server/option_table.h"

namespace larder::server {

// What an option does, with its default or with why it does nothing: one sentence.
[[nodiscard]] std::string Describe(const Option& option);

// `name`, or `name=argument`, of an option of -o.
[[nodiscard]] std::string SubOptionUsage(const Option& option);

// For each feature that this build is without, the options that want it: "TLS: -Z, ssl_key, ..".
[[nodiscard]] std::string AbsentOptions();

[[nodiscard]] std::string HelpText();
[[nodiscard]] std::string LicenceText();
// README's tables, in Markdown.
[[nodiscard]] std::string ReadmeOptions();

}  // namespace larder::server
