// The options with a dash, row by row: what memcached's deployments pass must be understood as
// there.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "server/version.h"
#include "tests/server/cli/command_line.h"

namespace larder::server {
namespace {

TEST_CASE("each option, short and long, sets what stats settings shows") {
  struct Row {
    Words shorter;
    Words longer;
    std::string key;
    std::string value;
    std::string initial;
  };
  const std::vector<Row> rows = {
      {{"-p", "1234"}, {"--port=1234"}, "tcpport", "1234", "11211"},
      {{"-s", "/a/b"}, {"--unix-socket=/a/b"}, "domain_socket", "/a/b", "NULL"},
      {{"-a", "0770"}, {"--unix-mask=770"}, "umask", "770", "700"},
      {{"-l", "::1"}, {"--listen=::1"}, "inter", "::1", "127.0.0.1,::1"},
      {{"-U", "99"}, {"--udp-port=99"}, "udpport", "99", "0"},
      {{"-A"}, {"--enable-shutdown"}, "shutdown_command", "yes", "no"},
      {{"-M"}, {"--disable-evictions"}, "evictions", "off", "on"},
      {{"-c", "77"}, {"--conn-limit", "77"}, "maxconns", "77", "1024"},
      {{"-f", "1.5"}, {"--slab-growth-factor=1.5"}, "growth_factor", "1.50", "1.25"},
      {{"-n", "100"}, {"--slab-min-size=100"}, "chunk_size", "100", "48"},
      {{"-t", "8"}, {"--threads=8"}, "num_threads", "8", "4"},
      {{"-R", "5"}, {"--max-reqs-per-event=5"}, "reqs_per_event", "5", "20"},
      {{"-C"}, {"--disable-cas"}, "cas_enabled", "no", "yes"},
      {{"-b", "9"}, {"--listen-backlog=9"}, "tcp_backlog", "9", "1024"},
      {{"-I", "512k"}, {"--max-item-size=524288"}, "item_size_max", "524288", "1048576"},
      {{"-F"}, {"--disable-flush-all"}, "flush_enabled", "no", "yes"},
      {{"-B", "ascii"}, {"--protocol=ascii"}, "binding_protocol", "ascii", "auto-negotiate"},
      {{"-B", "binary"}, {"--protocol=binary"}, "binding_protocol", "binary", "auto-negotiate"},
      {{"-X"}, {"--disable-dumping"}, "dump_enabled", "no", "yes"},
      {{"-N", "2"}, {"--napi-ids=2"}, "num_napi_ids", "2", "0"},
      {{"-D", "/"}, {"--delimiter=/"}, "stat_key_prefix", "/", ":"},
      {{"-D", "/"}, {"--delimiter=/"}, "detail_enabled", "yes", "no"},
  };
  for (const Row& row : rows) {
    INFO(row.key);
    CHECK(ShownAs({}, row.key) == row.initial);
    CHECK(ShownAs(row.shorter, row.key) == row.value);
    CHECK(ShownAs(row.longer, row.key) == row.value);
  }
}

TEST_CASE("options that stats settings does not show are understood too") {
  CHECK(Accept({"-m", "100"}).memory_limit_mib == 100);
  CHECK(Accept({"--memory-limit=100"}).memory_limit_mib == 100);
  CHECK_FALSE(Accept({"-W"}).watch_enabled);
  CHECK_FALSE(Accept({"--disable-watch"}).watch_enabled);
  CHECK(Accept({"-r"}).dump_core);
  CHECK(Accept({"--enable-coredumps"}).dump_core);
  CHECK(Accept({"-d"}).is_daemon);
  CHECK(Accept({"--daemon"}).is_daemon);
  CHECK(Accept({"-u", "nobody"}).user_name == "nobody");
  CHECK(Accept({"--user=nobody"}).user_name == "nobody");
  CHECK(Accept({"-P", "/run/x.pid"}).pid_path == "/run/x.pid");
  CHECK(Accept({"--pidfile=/run/x.pid"}).pid_path == "/run/x.pid");
  CHECK(Accept({"-k"}).lock_memory);
  CHECK(Accept({"--lock-memory"}).lock_memory);
  CHECK(Accept({"-L"}).preallocate);
  CHECK(Accept({"--enable-largepages"}).preallocate);
  CHECK(Accept({"-v"}).verbosity == 1);
  CHECK(Accept({"-vv"}).verbosity == 2);
  CHECK(Accept({"-vvv"}).verbosity == 3);
  CHECK(Accept({"--verbose", "-v"}).verbosity == 2);
  CHECK(Accept({"--verbose=2"}).verbosity == 1);
}

TEST_CASE("an option and its value may be one argument with a blank inside") {
  CHECK(Accept({"-m 8192"}).memory_limit_mib == 8192);
  CHECK(Accept({"-c 16384"}).connections_max == 16384);
  CHECK(Accept({"-I 512k"}).item_bytes_max == 512 * 1024);
  CHECK(Accept({"-u 11211"}).user_name == "11211");
  CHECK(Accept({"-l \t127.0.0.1"}).listen_list == "127.0.0.1");
  CHECK(Accept({"--memory-limit= 100"}).memory_limit_mib == 100);
}

TEST_CASE("numbers are read as leniently as atoi reads them") {
  CHECK(Accept({"-m", "64m"}).memory_limit_mib == 64);
  CHECK(Accept({"-p", "0"}).tcp_port == 0);
  CHECK(Accept({"-p", "none"}).tcp_port == 0);
  CHECK(Accept({"-p", "-1"}).tcp_port == -1);
  CHECK(Accept({"-t", "4x"}).worker_count == 4);
  CHECK(Accept({"-b", "junk"}).listen_backlog == 0);
  CHECK(Accept({"-a", "junk"}).unix_mode == 0);
  CHECK(Accept({"-a", "01777"}).unix_mode == 0777);
  CHECK(Accept({"-f", "2junk"}).growth_factor == 2.0);
  CHECK(Accept({"-m", "99999999999"}).memory_limit_mib == INT32_MAX);
  CHECK(Accept({"-U", "none"}).udp_port == 0);
  CHECK(Accept({"-B", " ascii"}).protocol == ProtocolChoice::kAscii);
}

TEST_CASE("an item size has k and m, in either case, at its very end") {
  CHECK(Accept({"-I", "600k"}).item_bytes_max == 600 * 1024);
  CHECK(Accept({"-I", "600K"}).item_bytes_max == 600 * 1024);
  CHECK(Accept({"-I", "1m"}).item_bytes_max == 1024 * 1024);
  CHECK(Accept({"-I", "1M"}).item_bytes_max == 1024 * 1024);
  CHECK(Accept({"-I", "1.5m"}).item_bytes_max == 1024 * 1024);
  CHECK(Accept({"-I", "2000"}).item_bytes_max == 2000);
}

TEST_CASE("the last one given counts, but listen addresses add up") {
  CHECK(Accept({"-m", "100", "-m", "200"}).memory_limit_mib == 200);
  CHECK(Accept({"-l", "a", "--listen=b,c"}).listen_list == "a,b,c");
  CHECK(Accept({"-l", "10.0.0.10", "-l", "10.0.0.1"}).listen_list == "10.0.0.10,10.0.0.1");
}

TEST_CASE("long options may be abbreviated, and words that are no options are ignored") {
  CHECK(Accept({"--memory-l=100"}).memory_limit_mib == 100);
  CHECK(Accept({"--thr", "2"}).worker_count == 2);
  CHECK(Accept({"word", "-m", "100", "another"}).memory_limit_mib == 100);
  CHECK(Accept({"-dvk"}).verbosity == 1);
  CHECK(Accept({"-m", "100", "--", "-m", "200"}).memory_limit_mib == 100);
}

TEST_CASE("a value that cannot be is refused with memcached's words and exit code") {
  CHECK(Refuse({"-c", "0"}) == "1: Maximum connections must be greater than 0");
  CHECK(Refuse({"-c", "many"}) == "1: Maximum connections must be greater than 0");
  CHECK(Refuse({"-t", "0"}) == "1: Number of threads must be greater than 0");
  CHECK(Refuse({"-t", "-4"}) == "1: Number of threads must be greater than 0");
  CHECK(Refuse({"-R", "0"}) == "1: Number of requests per event must be greater than 0");
  CHECK(Refuse({"-n", "0"}) == "1: Chunk size must be greater than 0");
  CHECK(Refuse({"-f", "1"}) == "1: Factor must be greater than 1");
  CHECK(Refuse({"-f", "x"}) == "1: Factor must be greater than 1");
  CHECK(Refuse({"-D", ""}) == "1: No delimiter specified");
  CHECK(Refuse({"-D", "  "}) == "1: No delimiter specified");
  CHECK(Refuse({"-p", "65536"}) == "64: ERROR: Invalid port number 65536.");
  CHECK(Refuse({"-U", "70000"}) == "64: ERROR: Invalid port number 70000.");
  CHECK(Refuse({"-B", "x"}) ==
        "64: Invalid value for binding protocol: x\n -- should be one of auto, binary, or ascii");
  CHECK(Refuse({"-N", "0"}) == "1: Maximum number of NAPI IDs must be greater than 0");
  CHECK(Refuse({"-N", "5"}) ==
        "64: Number of napi_ids(5) cannot be greater than number of threads(4)");
  CHECK(Refuse({"-p", "-2"}) == "64: ERROR: Invalid port number -2.");
  CHECK(Refuse({"-I", "1023"}) == "64: Item max size cannot be less than 1024 bytes.");
  CHECK(Refuse({"-I", "1g"}) == "64: Item max size cannot be less than 1024 bytes.");
  const std::string half = "64: Cannot set item size limit higher than 1/2 of memory max.";
  CHECK(Refuse({"-m", "0"}) == half);
  CHECK(Refuse({"-m", "1"}) == half);
  CHECK(Refuse({"-m", "x"}) == half);
  CHECK(Refuse({"-m", "-8"}) == half);
  CHECK(Refuse({"-I", "40m"}) == half);
  CHECK(Refuse({"-I", "1025m", "-m", "4096"}) ==
        "64: Cannot set item size limit higher than a gigabyte.");
  CHECK(Accept({"-I", "1024m", "-m", "2048"}).item_bytes_max == 1024 * 1024 * 1024);
  CHECK(Accept({"-I", "32m"}).item_bytes_max == 32 * 1024 * 1024);
  CHECK(Refuse({"-t", "100000"}) == "64: Number of threads must not be greater than 1024");
}

TEST_CASE("an option that is not known gets one line and exit code 1") {
  CHECK(Refuse({"-z"}) == "1: larder: unknown or ambiguous option \"-z\"; try larder -h");
  CHECK(Refuse({"-dzv"}) == "1: larder: unknown or ambiguous option \"-z\"; try larder -h");
  CHECK(Refuse({"--no-such"}) ==
        "1: larder: unknown or ambiguous option \"--no-such\"; try larder -h");
  CHECK(Refuse({"--mem=100"}) ==
        "1: larder: unknown or ambiguous option \"--mem=100\"; try larder -h");
  CHECK(Refuse({"--un", "x"}) == "1: larder: unknown or ambiguous option \"--un\"; try larder -h");
  CHECK(Refuse({"-p"}) == "1: larder: option \"-p\" needs an argument");
  CHECK(Refuse({"-dp"}) == "1: larder: option \"-dp\" needs an argument");
  CHECK(Refuse({"--port"}) == "1: larder: option \"--port\" needs an argument");
}

TEST_CASE("an option that this build cannot honour is refused by the name of what it lacks") {
  CHECK(Refuse({"-S"}) == "64: This server is not built with SASL support.");
  CHECK(Refuse({"--enable-sasl"}) == "64: This server is not built with SASL support.");
  CHECK(Refuse({"-Z"}) == "64: This server is not built with TLS support.");
  CHECK(Refuse({"-Y", "file"}) == "64: This server is not built with auth file support.");
  CHECK(Refuse({"-e", "file"}) == "64: This server is not built with warm restart support.");
}

TEST_CASE("a UDP port alone is the TCP port, too") {
  CHECK(Accept({"-U", "99"}).tcp_port == 99);
  CHECK(Accept({"-U", "-1"}).tcp_port == -1);
  CHECK(Accept({"-U", "0"}).tcp_port == 11211);
  CHECK(Accept({"-U", "99", "-p", "98"}).tcp_port == 98);
  CHECK(Accept({"-p", "0", "-U", "99"}).tcp_port == 0);
}

TEST_CASE("our own option names do not make memcached's abbreviations ambiguous") {
  CHECK(Accept({"--c=5"}).connections_max == 5);
  CHECK(Accept({"--co", "5"}).connections_max == 5);
  CHECK(Accept({"--con=5"}).connections_max == 5);
  CHECK(Accept({"--conn=5"}).connections_max == 5);
}

TEST_CASE("help, licence and version print and end, wherever they stand before a mistake") {
  const CliResult version = Parse({"-V"});
  CHECK(version.action == CliAction::kPrintVersion);
  CHECK(version.text == "larder " + std::string(LarderVersion()) + "\n");
  CHECK(Parse({"--version"}).text == version.text);
  const CliResult help = Parse({"-h", "-z"});
  CHECK(help.action == CliAction::kPrintHelp);
  CHECK(help.text.starts_with(version.text));
  CHECK(Parse({"--help"}).text == help.text);
  CHECK(Parse({"-i"}).action == CliAction::kPrintLicence);
  CHECK(Parse({"--license"}).text.find("Redistribution and use") != std::string::npos);
  CHECK(Parse({"-z", "-h"}).action == CliAction::kFail);
}

TEST_CASE("more threads than any machine should need is worth a warning") {
  CHECK(Parse({"-t", "64"}).warnings.empty());
  CHECK(Parse({"-t", "65"}).warnings.size() == 1);
}

TEST_CASE("one command line leaves nothing behind for the next") {
  CHECK(Accept({"-dv", "-m", "100"}).memory_limit_mib == 100);
  CHECK(Accept({"-m", "200"}).memory_limit_mib == 200);
  CHECK_FALSE(Accept({"-m", "200"}).is_daemon);
}

}  // namespace
}  // namespace larder::server
