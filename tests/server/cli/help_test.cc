// What people are told about the options must be what the table says, wherever they read it.
#include "server/help.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <string>

#include "server/man_page.h"
#include "server/option_table.h"

namespace larder::server {
namespace {

// Without line breaks.
std::string Unwrapped(const std::string& text) {
  std::string unwrapped;
  for (const char byte : text) {
    const bool is_blank = byte == ' ' || byte == '\n';
    if (!is_blank) unwrapped += byte;
    if (is_blank && !unwrapped.ends_with(' ')) unwrapped += ' ';
  }
  return unwrapped;
}

// As the manual page has it.
std::string Dashed(std::string_view text) {
  std::string dashed;
  for (const char byte : text) {
    if (byte == '-') dashed += '\\';
    dashed += byte;
  }
  return dashed;
}

TEST_CASE("help and manual page have every option, its meaning, and why it has no effect") {
  const std::string help = Unwrapped(HelpText());
  const std::string page = ManPage();
  CHECK(page.starts_with(".TH LARDER 1 "));
  for (const auto options : {DashOptions(), SubOptions()}) {
    for (const Option& option : options) {
      INFO(option.name);
      if (option.role == OptionRole::kAbsent) continue;
      CHECK(help.find(Unwrapped(Describe(option))) != std::string::npos);
      CHECK(page.find("\n" + Dashed(Describe(option)) + "\n") != std::string::npos);
      const bool is_sub_option = FindSubOption(option.name) == &option;
      const std::string name = std::string(is_sub_option ? "" : "--") + option.name;
      CHECK(page.find("\\fB" + Dashed(name) + "\\fR") != std::string::npos);
    }
  }
}

TEST_CASE("help shows options as they are written") {
  const std::string help = HelpText();
  CHECK(help.find("\n-p, --port=<num> ") != std::string::npos);
  CHECK(help.find("\n-d, --daemon ") != std::string::npos);
  CHECK(help.find("\n--config=<file> ") != std::string::npos);
  CHECK(help.find("\n  slab_sizes=a-b-c ") != std::string::npos);
  CHECK(help.find("\n  slab_automove[=0|1|2] ") != std::string::npos);
  CHECK(help.find("\n  track_sizes ") != std::string::npos);
  const std::string flat = Unwrapped(help);
  CHECK(flat.find("(default: 11211)") != std::string::npos);
  CHECK(flat.find("(default: 0.2)") != std::string::npos);
  CHECK(flat.find("(default: 0700)") != std::string::npos);
  CHECK(flat.find("(default: 1m)") != std::string::npos);
  CHECK(flat.find("TLS: -Z, ssl_chain_cert,") != std::string::npos);
}

TEST_CASE("no two options have a letter or a name in common") {
  for (const auto options : {DashOptions(), SubOptions()}) {
    for (const Option& option : options) {
      INFO(option.name);
      CHECK(FindKey(option.name) == &option);
      CHECK((option.letter == '\0' || FindLetter(option.letter) == &option));
    }
  }
}

TEST_CASE("README lists the options as larder_readme_options prints them") {
  std::ifstream file(LARDER_README);
  std::stringstream content;
  content << file.rdbuf();
  const std::string readme = content.str();
  const std::string begin_mark = "<!-- options -->\n";
  const size_t begin = readme.find(begin_mark);
  const size_t end = readme.find("<!-- /options -->");
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const size_t list = begin + begin_mark.size();
  CHECK(readme.substr(list, end - list) == ReadmeOptions());
}

}  // namespace
}  // namespace larder::server
