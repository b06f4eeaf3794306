// Options that change the process itself: configuration files, lines on stderr, core files, ports,
// the ways to end it, and what it may ask of the system.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include "server/os/privileges.h"
#include "server/os/unique_fd.h"
#include "tests/server/robustness/server_process.h"

namespace larder::server {
namespace {

void WriteFile(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

// A line of /proc/<pid>/<file> that begins with `name`, without it.
std::string ProcLine(const ServerProcess& server, const std::string& file,
                     const std::string& name) {
  std::ifstream lines("/proc/" + std::to_string(server.Pid()) + "/" + file);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name)) return line.substr(name.size());
  }
  return {};
}

std::string Answer(const ServerProcess& server, const std::string& request, size_t bytes) {
  TestClient client = server.Connect();
  return client.Send(request) ? client.Read(bytes) : std::string();
}

// All that is answered before the server closes the connection.
std::string WholeAnswer(const ServerProcess& server, const std::string& request) {
  TestClient client = server.Connect();
  return client.Send(request + "quit\r\n") ? client.ReadToEnd() : std::string();
}

TEST_CASE("a server runs by its file, and check says so without running it") {
  const TestDirectory directory;
  const std::string path = directory.File("larder.toml");
  WriteFile(path, "memory-limit = 100\nverbose = 1\nmaxconns_fast = false\n");
  ServerProcess server({"--config", path, "-m", "90"});
  const std::string settings = WholeAnswer(server, "stats settings\r\n");
  CHECK(settings.find("STAT maxbytes 94371840\r\n") != std::string::npos);
  CHECK(settings.find("STAT verbosity 1\r\n") != std::string::npos);
  CHECK(settings.find("STAT maxconns_fast no\r\n") != std::string::npos);

  FinishedRun run = RunToEnd({"--config", path, "--check"});
  CHECK(run.exit_code == 0);
  CHECK(run.err.empty());
  WriteFile(path, "memory-limit = 100\nthread = 1\nport = true\n");
  const std::string complaints = path + ":2: unknown key \"thread\"; did you mean \"threads\"?\n" +
                                 path + ":3: port: must be a whole number\n";
  for (const Words& more : {Words{"--check"}, Words{}}) {
    Words words = {"--config", path};
    words.insert(words.end(), more.begin(), more.end());
    run = RunToEnd(words);
    CHECK(run.exit_code == 64);
    CHECK(run.err == complaints);
  }
  WriteFile(path, "-m 100\n-l nonsense:port\n");
  CHECK(RunToEnd({"--config", path, "--check"}).exit_code == 71);
}

TEST_CASE("with -r a crash may leave a core file, whoever the server became") {
  ServerProcess server({"-r"});
  CHECK(ProcLine(server, "limits", "Max core file size").find("unlimited") != std::string::npos);
}

TEST_CASE("in JSON every line on stderr is an object") {
  ServerProcess server({"-vv", "-o", "log_format=json", "-P", "/no/such/directory/pid"});
  CHECK(Answer(server, "version\r\n", 7) == "VERSION");
  server.Signal(SIGTERM);
  CHECK(server.Wait() == 0);
  std::istringstream lines(server.ErrorOutput());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    INFO(line);
    CHECK(line.starts_with("{\"ts\":\""));
    CHECK(line.ends_with("}"));
    CHECK(line.find("\",\"level\":\"") != std::string::npos);
    CHECK(line.find("\",\"msg\":\"") != std::string::npos);
  }
  CHECK(count >= 5);  // pid file, listening, connected, closed, exiting
}

TEST_CASE("a client may stop the server where -A allows it, in either way") {
  for (const char* request : {"shutdown\r\n", "shutdown graceful\r\n"}) {
    ServerProcess server({"-A"});
    TestClient client = server.Connect();
    REQUIRE(client.Send(request));
    CHECK(server.Wait() == 0);
    CHECK(client.SeesEnd());
    const bool is_graceful = std::string_view(request).find(' ') != std::string_view::npos;
    CHECK(server.ErrorOutput() == (is_graceful ? "Gracefully stopping\n" : ""));
  }
  ServerProcess server;
  CHECK(Answer(server, "shutdown\r\n", 36) == "SERVER_ERROR: shutdown not enabled\r\n");
}

TEST_CASE("a UDP port is served and written down") {
  ServerProcess server({"-l", "127.0.0.1", "-p", "-1", "-U", "-1"});
  const std::string port = ProcLine(server, "environ", "");
  const size_t at = port.find("MEMCACHED_PORT_FILENAME=") + 24;
  const std::string ports = ReadFile(port.substr(at, port.find('\0', at) - at));
  const size_t udp = ports.find("UDP INET: ");
  REQUIRE(udp != std::string::npos);

  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(std::stoi(ports.substr(udp + 10))));
  REQUIRE(::connect(socket.Get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  constexpr char kRequest[] = "\0\1\0\0\0\1\0\0version\r\n";
  REQUIRE(::send(socket.Get(), kRequest, sizeof(kRequest) - 1, 0) > 0);
  timeval patience{10, 0};
  ::setsockopt(socket.Get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  char answer[64];
  const ssize_t bytes = ::recv(socket.Get(), answer, sizeof(answer), 0);
  REQUIRE(bytes == 24);
  CHECK(std::string_view(answer + 8, 16) == "VERSION 1.6.45\r\n");
}

// --- drop_privileges -----------------------------------------------------------------------------

// Everything a client can ask for, each on its own connection: whether the server lives is what
// counts here.
const std::vector<std::string> kEverything = {
    "set a 0 0 1\r\n1\r\n",
    "get a\r\n",
    "gat 100 a\r\n",
    "incr a 1\r\n",
    "touch a 0\r\n",
    "append a 0 0 1\r\n1\r\n",
    "mg a v t\r\n",
    "ms b 1\r\n1\r\n",
    "ma a\r\n",
    "md b\r\n",
    "me a\r\n",
    "stats\r\n",
    "stats settings\r\n",
    "stats items\r\n",
    "stats slabs\r\n",
    "stats sizes\r\n",
    "stats conns\r\n",
    "stats detail on\r\n",
    "stats detail dump\r\n",
    "stats cachedump 1 0\r\n",
    "stats larder\r\n",
    "stats reset\r\n",
    "lru_crawler metadump all\r\n",
    "lru_crawler mgdump all\r\n",
    "lru_crawler crawl all\r\n",
    "lru_crawler disable\r\n",
    "lru_crawler enable\r\n",
    "lru tune 10 20 0.1 2\r\n",
    "slabs automove 0\r\n",
    "slabs automove 1\r\n",
    "slabs reassign 1 2\r\n",
    "cache_memlimit 100\r\n",
    "cache_memlimit 16\r\n",
    "verbosity 2\r\n",
    "flush_all\r\n",
    "flush_all 1000\r\n",
    "version\r\n",
    "watch fetchers\r\n",
    std::string("\x80\x0b\0\0", 4) + std::string(20, '\0'),
    std::string("\x80\x10\0\0", 4) + std::string(20, '\0'),
    "GET / HTTP/1.1\r\n\r\n"};

void AskForEverything(const ServerProcess& server) {
  for (const std::string& request : kEverything) {
    INFO(request);
    TestClient client = server.Connect();
    REQUIRE(client.Send(request));
    const bool is_refused = request.starts_with("GET");
    CHECK((is_refused ? client.SeesEnd() : !client.Read(1).empty()));
  }
}

TEST_CASE("a server that gave up its privileges serves everything and stops by itself") {
  for (const Words& more : {Words{"-t", "4"}, Words{"-t", "1", "-L"}, Words{"-k", "-vv"}}) {
    Words words = {
        "-A", "-m", "32", "-c", "500", "-o", "drop_privileges,track_sizes,idle_timeout=60"};
    words.insert(words.end(), more.begin(), more.end());
    ServerProcess server(words);
    AskForEverything(server);
    if (CanDropPrivileges()) {
      CHECK(server.Status("Seccomp") == "2");
      CHECK(server.Status("NoNewPrivs") == "1");
    }
    // Many at once, values that are lent to the socket, and more than the memory holds.
    std::vector<TestClient> clients;
    for (int i = 0; i < 200; ++i) clients.push_back(server.Connect());
    const std::string value(300'000, 'v');
    int number = 0;
    for (TestClient& client : clients) {
      const std::string key = "key" + std::to_string(number++);
      REQUIRE(client.Send("set " + key + " 0 0 300000\r\n" + value + "\r\nget " + key + "\r\n"));
      CHECK(client.Read(8) == "STORED\r\n");
    }
    clients.clear();
    GoodClient good(server);
    CHECK(good.IsServed());
    TestClient last = server.Connect();
    REQUIRE(last.Send("shutdown graceful\r\n"));
    CHECK(server.Wait() == 0);
    CHECK(server.ErrorOutput().find("forbids") == std::string::npos);
  }
}

TEST_CASE("stats settings tells whether privileges were given up, where that can be") {
  if (!CanDropPrivileges()) return;
  ServerProcess server({"-o", "drop_privileges"});
  CHECK(WholeAnswer(server, "stats settings\r\n").find("STAT drop_privileges yes\r\n") !=
        std::string::npos);
  ServerProcess other;
  CHECK(WholeAnswer(other, "stats settings\r\n").find("STAT drop_privileges no\r\n") !=
        std::string::npos);
}

TEST_CASE("a daemon without privileges comes up and goes, pid file and all") {
  const TestDirectory directory;
  const std::string pid_path = directory.File("pid");
  const std::string socket_path = directory.File("socket");
  Words words = UserOption();
  words.insert(words.end(), {"-d", "-P", pid_path, "-s", socket_path, "-o", "drop_privileges"});
  const FinishedRun run = RunToEnd(words);
  CHECK(run.exit_code == 0);
  CHECK(run.err.empty());
  TestClient client = TestClient::Unix(socket_path);
  CHECK(client.Ask("mn\r\n") == "MN\r\n");
  ::kill(std::stoi(ReadFile(pid_path)), SIGTERM);
  CHECK(Eventually([&] { return ::access(pid_path.c_str(), F_OK) != 0; }));
}

}  // namespace
}  // namespace larder::server
