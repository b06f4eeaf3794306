// Configuration files: what --config understands in either form, and what it says about the rest.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/server/cli/command_line.h"

namespace larder::server {
namespace {

CliResult ParseFile(const std::string& text, Words more = {}) {
  more.insert(more.begin(), {"--config", "f"});
  return Parse(more, {{"f", text}});
}

Settings AcceptFile(const std::string& text, const Words& more = {}) {
  const CliResult result = ParseFile(text, more);
  INFO(result.text);
  CHECK(result.action == CliAction::kRun);
  return result.settings;
}

std::string RefuseFile(const std::string& text, const Words& more = {}) {
  const CliResult result = ParseFile(text, more);
  CHECK(result.action == CliAction::kFail);
  CHECK(result.exit_code != 0);
  return result.text;
}

TEST_CASE("a file in TOML has long names and sub-options for keys") {
  const Settings settings = AcceptFile(R"(# a comment
port = 1234
memory-limit = 128
listen = ["127.0.0.1", "[::1]:99"]
disable-evictions = true
verbose = 2
slab-growth-factor = 1.5
max-item-size = "512k"
unix-mask = "0770"
protocol = "ascii"
delimiter = "/"
idle_timeout = 60
track_sizes = true
no_maxconns_fast = true
slab_sizes = "96-200"
slab_automove_ratio = 1
)");
  CHECK(settings.tcp_port == 1234);
  CHECK(settings.memory_limit_mib == 128);
  CHECK(settings.listen_list == "127.0.0.1,[::1]:99");
  CHECK_FALSE(settings.evict);
  CHECK(settings.verbosity == 2);
  CHECK(settings.growth_factor == 1.5);
  CHECK(settings.item_bytes_max == 512 * 1024);
  CHECK(settings.unix_mode == 0770);
  CHECK(settings.protocol == ProtocolChoice::kAscii);
  CHECK(settings.prefix_delimiter.byte == '/');
  CHECK(settings.idle_timeout_s == 60);
  CHECK(settings.track_sizes);
  CHECK_FALSE(settings.maxconns_fast);
  CHECK(settings.slab_sizes == "96-200");
  CHECK(settings.slab_automove_ratio == 1.0);
}

TEST_CASE("every option that can be set can be set in a file") {
  const auto value_for = [](const Option& option) -> std::string {
    switch (option.shape) {
      case ArgumentShape::kNone:
        return "true";
      case ArgumentShape::kReal:
        return "2";
      case ArgumentShape::kText:
      case ArgumentShape::kList:
        return "\"xxh3\"";
      default:
        return "20";
    }
  };
  int taken = 0;
  for (const auto options : {DashOptions(), SubOptions()}) {
    for (const Option& option : options) {
      const std::string name = option.name;
      if (option.role != OptionRole::kSetting) continue;
      const std::string text = ParseFile(name + " = " + value_for(option)).text;
      INFO(name << ": " << text);
      // A value may be refused by what the option means, but never by what kind of value it is.
      CHECK(text.find("must be a whole number") == std::string::npos);
      CHECK(text.find("must be true") == std::string::npos);
      CHECK(text.find("must be text") == std::string::npos);
      CHECK(text.find("unknown") == std::string::npos);
      ++taken;
    }
  }
  CHECK(taken > 60);
}

TEST_CASE("false turns a switch the other way") {
  CHECK_FALSE(AcceptFile("maxconns_fast = false").maxconns_fast);
  CHECK(AcceptFile("no_maxconns_fast = false").maxconns_fast);
  CHECK(AcceptFile("disable-evictions = false").evict);
  CHECK_FALSE(AcceptFile("daemon = false").is_daemon);
  CHECK(AcceptFile("slab_automove = false").slab_automove == 0);
  CHECK(AcceptFile("slab_automove = true").slab_automove == 1);
  CHECK(AcceptFile("no_modern = false").slab_reassign);
  CHECK(AcceptFile("verbose = false").verbosity == 0);
  CHECK(AcceptFile("verbose = true").verbosity == 1);
}

TEST_CASE("keys count in the order of the file") {
  CHECK(AcceptFile("no_modern = true\nslab_reassign = true").slab_reassign);
  CHECK_FALSE(AcceptFile("slab_reassign = true\nno_modern = true").slab_reassign);
}

TEST_CASE("the command line wins, and replaces what adds up") {
  const std::string text = "memory-limit = 128\nlisten = \"a\"\nverbose = 2\ntrack_sizes = true";
  CHECK(AcceptFile(text, {"-m", "256"}).memory_limit_mib == 256);
  CHECK(AcceptFile(text, {"-l", "b", "-l", "c"}).listen_list == "b,c");
  CHECK(AcceptFile(text, {"-v"}).verbosity == 1);
  CHECK(AcceptFile(text, {"-v"}).listen_list == "a");
  CHECK(AcceptFile(text, {"-v"}).track_sizes);
  CHECK(AcceptFile("no_modern = true", {"-o", "slab_reassign"}).slab_reassign);
  CHECK(AcceptFile("port = 5", {"-U", "6"}).tcp_port == 5);
  CHECK(AcceptFile("udp-port = 6").tcp_port == 6);
}

TEST_CASE("each mistake in TOML is named with its line") {
  struct Row {
    std::string text;
    std::string complaint;
  };
  const std::vector<Row> rows = {
      {"port = 1\nprot = 2", "f:2: unknown key \"prot\"; did you mean \"port\"?"},
      {"memory_limit = 2", "f:1: unknown key \"memory_limit\"; did you mean \"memory-limit\"?"},
      {"idle-timeout = 2", "f:1: unknown key \"idle-timeout\"; did you mean \"idle_timeout\"?"},
      {"frobnicate = 2", "f:1: unknown key \"frobnicate\""},
      {"\n\nport = \"x\"", "f:3: port: must be a whole number"},
      {"port = 1.5", "f:1: port: must be a whole number"},
      {"port = 99999999999", "f:1: port: is out of range"},
      {"disable-cas = 1", "f:1: disable-cas: must be true or false"},
      {"verbose = 4", "f:1: verbose: must be 0 to 3"},
      {"user = 11211", "f:1: user: must be text in quotes"},
      {"listen = [1]", "f:1: listen: must be a list of texts in quotes"},
      {"listen = 1", "f:1: listen: must be text in quotes, or a list of such"},
      {"slab-growth-factor = true", "f:1: slab-growth-factor: must be a number"},
      {"max-item-size = 1.5",
       "f:1: max-item-size: must be a whole number, or text in quotes such as \"512k\""},
      {"threads = 0", "f:1: threads: Number of threads must be greater than 0"},
      {"hash_algorithm = \"md5\"",
       "f:1: hash_algorithm: Unknown hash_algorithm option (jenkins, murmur3, xxh3)"},
      {"ssl_key = \"x\"", "f:1: This server is not built with TLS support."},
      {"config = \"x\"", "f:1: \"config\" belongs on the command line"},
      {"check = true", "f:1: \"check\" belongs on the command line"},
      {"help = true", "f:1: \"help\" belongs on the command line"},
      {"threads = 0\nport = 1\nprot = 3",
       "f:1: threads: Number of threads must be greater than 0\n"
       "f:3: unknown key \"prot\"; did you mean \"port\"?"},
      {"[server]\nport = 1", "f:1: unknown key \"server\""},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    CHECK(RefuseFile(row.text) == row.complaint);
  }
}

TEST_CASE("what is no TOML is refused with the line") {
  for (const char* text : {"port", "port = ", "port 1", "= 1", "port = 1 2", "port = \"x",
                           "listen = [\"a\"", "port = 1\nport = 2", "listen = [\"a\" \"b\"]",
                           "port = 08", "a.b = [[[[", "\"", "[", "\x01\x02"}) {
    INFO(text);
    CHECK(RefuseFile(text).starts_with("f:"));
  }
  CHECK(RefuseFile("threads = 4\nport").starts_with("f:2: "));
}

TEST_CASE("a file made to exhaust the parser is refused") {
  CHECK(RefuseFile("listen = " + std::string(100'000, '[')).starts_with("f:1: is longer than"));
  std::string nested = "listen =";
  for (int i = 0; i < 1000; ++i) nested += "[\n";
  CHECK(RefuseFile(nested) == "f:257: more than 256 brackets");
  std::string dotted = "a";
  for (int i = 0; i < 100'000; ++i) dotted += ".a";
  CHECK(RefuseFile(dotted + " = 1").starts_with("f:1: is longer than"));
}

TEST_CASE("values that do not go together are refused as on the command line") {
  CHECK(RefuseFile("max-item-size = \"40m\"") ==
        "Cannot set item size limit higher than 1/2 of memory max.");
  CHECK(RefuseFile("temporary_ttl = 5\nno_lru_maintainer = true") ==
        "temporary_ttl requires lru_maintainer to be enabled");
}

TEST_CASE("Debian's memcached.conf is understood as it stands") {
  const Settings settings = AcceptFile(R"(# memcached default config file
-d

# Log memcached's output to /var/log/memcached
logfile /var/log/memcached.log

# Be verbose
# -v
-m 128
-p 11311  # our own port
-u memcache
  -l 127.0.0.1
-l ::1
-o modern,track_sizes
-c 2048 -M
--threads=2
-P /var/run/memcached/memcached.pid
)");
  CHECK_FALSE(settings.is_daemon);
  CHECK(settings.verbosity == 0);
  CHECK(settings.memory_limit_mib == 128);
  CHECK(settings.tcp_port == 11311);
  CHECK(settings.user_name == "memcache");
  CHECK(settings.listen_list == "127.0.0.1,::1");
  CHECK(settings.track_sizes);
  CHECK(settings.connections_max == 2048);
  CHECK_FALSE(settings.evict);
  CHECK(settings.worker_count == 2);
  CHECK(settings.pid_path == "/var/run/memcached/memcached.pid");
  CHECK(AcceptFile("logfile x\r\n-m 100\r\n").memory_limit_mib == 100);
  CHECK(AcceptFile("-m 100", {"-m", "200"}).memory_limit_mib == 200);
  CHECK(AcceptFile("-l a", {"-l", "b"}).listen_list == "b");
  CHECK(AcceptFile("-h\n-m 100").memory_limit_mib == 100);
}

TEST_CASE("mistakes in memcached.conf are named with their lines") {
  CHECK(RefuseFile("-m 64\n-c 0\n\n-z\n") ==
        "f:2: Maximum connections must be greater than 0\n"
        "f:4: larder: unknown or ambiguous option \"-z\"; try larder -h");
  CHECK(RefuseFile("-m 64\n-p") == "f:2: larder: option \"-p\" needs an argument");
  CHECK(RefuseFile("-V") == "f:1: belongs on the command line");
  CHECK(RefuseFile("--config=x") == "f:1: \"config\" belongs on the command line");
  CHECK(RefuseFile("--che") == "f:1: \"check\" belongs on the command line");
  CHECK(RefuseFile("-S") == "f:1: This server is not built with SASL support.");
}

TEST_CASE("a file that is not UTF-8 is refused before it is read as TOML") {
  CHECK(RefuseFile("port = 5\nuser = 'a\xFF'") == "f:2: is not UTF-8");
  CHECK(RefuseFile("'a\xC3\x28' = 5") == "f:1: is not UTF-8");
  CHECK(AcceptFile("# caf\xC3\xA9\nport = 5").tcp_port == 5);
}

TEST_CASE("an empty file says nothing, a missing one is an error") {
  CHECK(AcceptFile("").tcp_port == 11211);
  CHECK(AcceptFile("\n# nothing\n").tcp_port == 11211);
  const CliResult result = Parse({"--config", "elsewhere"});
  CHECK(result.action == CliAction::kFail);
  CHECK(result.exit_code == kExitUsage);
  CHECK(result.text == "elsewhere: cannot be read: no such file");
}

TEST_CASE("check takes nothing but options, wherever they stand") {
  CHECK(ParseFile("port = 5", {"--check"}).action == CliAction::kCheck);
  CHECK(ParseFile("port = 5", {"--check"}).settings.tcp_port == 5);
  CHECK(ParseFile("prot = 5", {"--check"}).action == CliAction::kFail);
  CHECK(Parse({"--check"}).action == CliAction::kCheck);
  CHECK(Parse({"--check", "-c", "0"}).action == CliAction::kFail);
  CHECK(ParseFile("port = 5", {"--check", "-h"}).action == CliAction::kPrintHelp);
}

TEST_CASE("memory is explained for the options of the file and the command line together") {
  const CliResult result = ParseFile("memory-limit = 100", {"--explain-memory", "-C"});
  CHECK(result.action == CliAction::kExplain);
  CHECK(result.settings.memory_limit_mib == 100);
  CHECK_FALSE(result.settings.use_cas);
  CHECK(Parse({"--explain-memory", "-m", "x"}).action != CliAction::kRun);
}

}  // namespace
}  // namespace larder::server
