// The process around the server: signals, background, files it leaves, user, limits, exit codes.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/server/robustness/server_process.h"

namespace larder::server {
namespace {

bool IsRoot() { return ::getuid() == 0; }

Words WithUser(Words words) {
  for (const std::string& word : UserOption()) words.push_back(word);
  return words;
}

bool AnswersVersion(TestClient client) {
  return client.IsConnected() && client.Ask("version\r\n").starts_with("VERSION");
}

TEST_CASE("signals that stop a server stop it cleanly, clients or no clients") {
  for (const int number : {SIGTERM, SIGINT, SIGUSR1}) {
    ServerProcess server;
    TestClient busy = server.Connect();
    REQUIRE(busy.Send("set half 0 0 100000\r\nhalf a value"));
    GoodClient good(server);
    REQUIRE(good.IsServed());
    server.Signal(number);
    CHECK(server.Wait() == 0);
    CHECK(busy.SeesEnd());
    CHECK(server.ErrorOutput() == (number == SIGUSR1 ? "Gracefully stopping\n" : ""));
  }
}

TEST_CASE("who watches is told which client has ended the server") {
  for (const std::string request : {"shutdown\r\n", "shutdown graceful\r\n"}) {
    ServerProcess server({"-A"});
    TestClient watcher = server.Connect();
    REQUIRE(watcher.Send("watch connevents\r\n"));
    REQUIRE(watcher.Read(4) == "OK\r\n");
    TestClient bystander = server.Connect();
    TestClient client = server.Connect();
    REQUIRE(client.Send(request));
    CHECK(client.ReadToEnd().empty());
    CHECK(server.Wait() == 0);
    const std::string told = watcher.ReadToEnd();
    CHECK(told.find("type=conn_close rip=127.0.0.1") != std::string::npos);
    CHECK(told.find(" reason=shutdown ") == told.rfind(" reason="));
    CHECK(told.find(" reason=shutdown ") != std::string::npos);
  }
}

TEST_CASE("SIGHUP and SIGPIPE do not stop a server") {
  ServerProcess server({"-v"});
  GoodClient good(server);
  server.Signal(SIGHUP);
  server.Signal(SIGPIPE);
  CHECK(good.IsServed());
  server.Signal(SIGTERM);
  CHECK(server.Wait() == 0);
  CHECK(server.ErrorOutput().ends_with("\nExiting normally\n"));
}

TEST_CASE("a daemon is ready when the command returns, and takes its pid file along") {
  const TestDirectory directory;
  const std::string pid_path = directory.File("pid");
  const std::string socket_path = directory.File("socket");
  const FinishedRun run = RunToEnd(WithUser({"-d", "-P", pid_path, "-s", socket_path}));
  CHECK(run.exit_code == 0);
  CHECK(run.err.empty());
  const std::string pid_text = ReadFile(pid_path);
  REQUIRE(pid_text.ends_with("\n"));
  const pid_t pid = std::stoi(pid_text);
  CHECK(AnswersVersion(TestClient::Unix(socket_path)));
  CHECK_FALSE(std::filesystem::exists(pid_path + ".tmp"));
  ::kill(pid, SIGTERM);
  CHECK(Eventually([&] { return !std::filesystem::exists(pid_path); }));
}

TEST_CASE("a daemon that cannot start says so and fails like any other") {
  ServerProcess holder;
  const std::string port = std::to_string(holder.Port());
  const FinishedRun run = RunToEnd(WithUser({"-d", "-l", "127.0.0.1", "-p", port}));
  CHECK(run.exit_code == 71);
  CHECK(run.err == "failed to listen on one of interface(s) 127.0.0.1: Address already in use\n");
}

TEST_CASE("a pid file in the foreground is written, and stays") {
  const TestDirectory directory;
  const std::string path = directory.File("pid");
  ServerProcess server({"-P", path});
  CHECK(ReadFile(path) == std::to_string(server.Pid()) + "\n");
  server.Signal(SIGTERM);
  CHECK(server.Wait() == 0);
  CHECK(std::filesystem::exists(path));
}

TEST_CASE("a pid file that cannot be written is a message and no more") {
  ServerProcess server({"-P", "/no/such/directory/pid"});
  GoodClient good(server);
  CHECK(good.IsServed());
  CHECK(server.ErrorOutput().starts_with("Could not open the pid file "));
}

TEST_CASE("root must say which user to be, and that one must exist") {
  if (!IsRoot()) return;
  FinishedRun run = RunToEnd({"-p", "-1"});
  CHECK(run.exit_code == 64);
  CHECK(run.err == "must add '-u root' to start as root\n");
  run = RunToEnd({"-u", "nobody-has-this-name"});
  CHECK(run.exit_code == 67);
  CHECK(run.err == "can't find the user nobody-has-this-name to switch to\n");
}

TEST_CASE("root becomes the user that is asked for") {
  if (!IsRoot()) return;
  // The test's own directories belong to root, so this server tells its place by a unix socket.
  const TestDirectory directory;
  std::filesystem::permissions(directory.File(""), std::filesystem::perms::all);
  const std::string pid_path = directory.File("pid");
  const std::string socket_path = directory.File("socket");
  const FinishedRun run = RunToEnd({"-d", "-u", "nobody", "-P", pid_path, "-s", socket_path});
  REQUIRE(run.exit_code == 0);
  CHECK(AnswersVersion(TestClient::Unix(socket_path)));
  struct stat status {};
  REQUIRE(::stat(socket_path.c_str(), &status) == 0);
  CHECK(status.st_uid != 0);
  CHECK(status.st_gid != 0);
  ::kill(std::stoi(ReadFile(pid_path)), SIGTERM);
  CHECK(Eventually([&] { return !std::filesystem::exists(pid_path); }));
}

TEST_CASE("a place that cannot be listened on is named") {
  const TestDirectory directory;
  const std::string file = directory.File("file");
  std::ofstream(file) << "precious";
  FinishedRun run = RunToEnd(WithUser({"-s", file}));
  CHECK(run.exit_code == 71);
  CHECK(run.err == "failed to listen on UNIX socket: " + file + ": Address already in use\n");
  CHECK(ReadFile(file) == "precious");
  run = RunToEnd(WithUser({"-l", "127.0.0.1:x"}));
  CHECK(run.exit_code == 71);
  CHECK(run.err ==
        "failed to listen on one of interface(s) 127.0.0.1:x: Invalid port number: \"x\"\n");
  ServerProcess holder;
  run = RunToEnd(WithUser({"-p", std::to_string(holder.Port())}));
  CHECK(run.exit_code == 71);
  CHECK(run.err == "failed to listen on TCP port " + std::to_string(holder.Port()) +
                       ": Address already in use\n");
}

TEST_CASE("a unix socket has the mode asked for, and one that was left behind is replaced") {
  const TestDirectory directory;
  const std::string path = directory.File("socket");
  for (int round = 0; round < 2; ++round) {
    ServerProcess server({"-s", path, "-a", "0770"});
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0770);
    CHECK(AnswersVersion(TestClient::Unix(path)));
    CHECK(server.Port() == 0);
    server.Signal(SIGKILL);
    CHECK(server.Wait() == -1);
  }
}

TEST_CASE("without -l the server is found on this machine only") {
  ServerProcess server({"-p", "-1"});
  CHECK(AnswersVersion(server.Connect()));
  std::ifstream tcp("/proc/" + std::to_string(server.Pid()) + "/net/tcp");
  // Listening sockets in state 0A: none on 00000000, the address for all networks.
  char port_hex[8];
  std::snprintf(port_hex, sizeof(port_hex), ":%04X", server.Port());
  for (std::string line; std::getline(tcp, line);) {
    CHECK(line.find(std::string(" 00000000") + port_hex + " 00000000:0000 0A") ==
          std::string::npos);
  }
}

TEST_CASE("every client that -c promises is served, though the limit for files was lower") {
  ServerProcess server({"-c", "1500", "-t", "4"});
  std::vector<TestClient> clients;
  clients.reserve(300);
  for (int i = 0; i < 300; ++i) clients.push_back(server.Connect());
  for (TestClient& client : clients) REQUIRE(client.Ask("version\r\n").starts_with("VERSION"));
  std::ifstream limits("/proc/" + std::to_string(server.Pid()) + "/limits");
  for (std::string line; std::getline(limits, line);) {
    if (line.starts_with("Max open files")) CHECK(std::stoi(line.substr(26)) > 1500);
  }
}

TEST_CASE("the flag -vv tells of every connection, and no flag of nothing") {
  ServerProcess quiet;
  REQUIRE(AnswersVersion(quiet.Connect()));
  ServerProcess talkative({"-vv"});
  REQUIRE(AnswersVersion(talkative.Connect()));
  CHECK(Eventually([&] {
    const std::string text = talkative.ErrorOutput();
    return text.find("client connected fd=") != std::string::npos &&
           text.find("connection closed fd=") != std::string::npos;
  }));
  CHECK(quiet.ErrorOutput().empty());
}

TEST_CASE("locked memory and large pages are asked for and do no harm") {
  ServerProcess server({"-k", "-L", "-m", "32"});
  GoodClient good(server);
  CHECK(good.IsServed());
  const bool is_locked = server.Status("VmLck") != "0";
  const bool says_why_not = server.ErrorOutput().starts_with("warning: -k invalid, mlockall()");
  CHECK(is_locked != says_why_not);
}

TEST_CASE("help, version and mistakes print in the right place and exit") {
  FinishedRun run = RunToEnd({"-V"});
  CHECK(run.exit_code == 0);
  CHECK(run.out.starts_with("larder "));
  CHECK(run.err.empty());
  run = RunToEnd({"-h"});
  CHECK(run.exit_code == 0);
  CHECK(run.out.find("--max-reqs-per-event=<num>") != std::string::npos);
  run = RunToEnd({"-z"});
  CHECK(run.exit_code == 1);
  CHECK(run.out.empty());
  CHECK(run.err == "larder: unknown or ambiguous option \"-z\"; try larder -h\n");
  run = RunToEnd(WithUser({"-I", "100"}));
  CHECK(run.exit_code == 64);
  CHECK(run.err == "Item max size cannot be less than 1024 bytes.\n");
}

}  // namespace
}  // namespace larder::server
