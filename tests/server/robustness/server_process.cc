#include "tests/server/robustness/server_process.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace larder::server {
namespace {

std::string BinaryPath() {
  const char* const chosen = std::getenv("LARDER_UNDER_TEST");
  return chosen != nullptr ? chosen : LARDER_BINARY;
}

bool Contains(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Starts the binary with its output in files of the directory.
pid_t Spawn(const Words& arguments, const TestDirectory& directory) {
  Words words = {BinaryPath()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const std::string out = directory.File("out");
  const std::string err = directory.File("err");
  const std::string ports = directory.File("ports");

  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
  ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
  ::dup2(::open(out.c_str(), kFlags, 0600), STDOUT_FILENO);
  ::dup2(::open(err.c_str(), kFlags, 0600), STDERR_FILENO);
  ::setenv("MEMCACHED_PORT_FILENAME", ports.c_str(), 1);
  ::execv(pointers[0], pointers.data());
  ::_exit(127);
}

int ExitCode(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }

// Of the first line that begins so; 0 if there is none.
uint16_t PortBehind(std::string_view prefix, std::string_view ports) {
  const size_t at = ports.find(prefix);
  if (at == std::string_view::npos) return 0;
  return static_cast<uint16_t>(std::stoul(std::string(ports.substr(at + prefix.size()))));
}

}  // namespace

TestDirectory::TestDirectory() {
  std::string pattern = std::filesystem::temp_directory_path() / "larder_test_XXXXXX";
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TestDirectory::~TestDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

Words UserOption() { return ::getuid() == 0 ? Words{"-u", "root"} : Words{}; }

FinishedRun RunToEnd(const Words& arguments) {
  const TestDirectory directory;
  const pid_t pid = Spawn(arguments, directory);
  FinishedRun run;
  int status = 0;
  const bool has_ended = Eventually([&] { return ::waitpid(pid, &status, WNOHANG) == pid; });
  if (!has_ended) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, &status, 0);
  }
  run.exit_code = ExitCode(status);
  run.out = ReadFile(directory.File("out"));
  run.err = ReadFile(directory.File("err"));
  return run;
}

ServerProcess::ServerProcess(const Words& arguments) {
  Words words = arguments;
  if (!Contains(words, "-u")) {
    for (const std::string& word : UserOption()) words.push_back(word);
  }
  const bool has_place = Contains(words, "-s") || Contains(words, "-p");
  if (!has_place) words.insert(words.end(), {"-p", "-1"});
  if (!has_place && !Contains(words, "-l")) words.insert(words.end(), {"-l", "127.0.0.1"});
  pid_ = Spawn(words, directory_);
  const std::string port_file = directory_.File("ports");
  const bool is_ready =
      Eventually([&] { return std::filesystem::exists(port_file) || !IsRunning(); });
  INFO(ErrorOutput());
  REQUIRE(is_ready);
  REQUIRE(IsRunning());
  const std::string ports = ReadFile(port_file);
  port_ = PortBehind("TCP INET: ", ports);
  udp_port_ = PortBehind("UDP INET: ", ports);
}

ServerProcess::~ServerProcess() {
  if (!IsRunning()) return;
  Signal(SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
}

bool ServerProcess::IsRunning() {
  if (has_ended_) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  has_ended_ = true;
  exit_code_ = ExitCode(status);
  return false;
}

void ServerProcess::Signal(int number) const { ::kill(pid_, number); }

int ServerProcess::Wait() {
  return Eventually([&] { return !IsRunning(); }) ? exit_code_ : -1;
}

TestClient ServerProcess::Connect(int receive_buffer_bytes) const {
  TestClient client = TestClient::Tcp(port_, receive_buffer_bytes);
  REQUIRE(client.IsConnected());
  return client;
}

std::string ServerProcess::Status(const std::string& field) const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
  for (std::string name; file >> name;) {
    if (name == field + ":" && file >> name) return name;
    std::getline(file, name);
  }
  return {};
}

int64_t ServerProcess::ResidentKib() const { return std::stoll(Status("VmRSS")); }

std::string ServerProcess::ErrorOutput() const { return ReadFile(directory_.File("err")); }

int64_t ServerProcess::Stat(const std::string& key) const {
  TestClient client = Connect();
  client.Send("stats\r\nquit\r\n");
  std::istringstream answer(client.ReadToEnd());
  for (std::string word, name; answer >> word;) {
    if (word == "STAT" && answer >> name && name == key && answer >> word) return std::stoll(word);
  }
  return -1;
}

bool GoodClient::IsServed() {
  const std::string key = "good" + std::to_string(++round_ % 10);
  const std::string value(static_cast<size_t>(1000 + round_), 'g');
  const std::string size = std::to_string(value.size());
  const std::string request = "set " + key + " 7 0 " + size + "\r\n" + value + "\r\n" +  //
                              "get " + key + "\r\n" +                                    //
                              "set n 0 0 1\r\n1\r\nincr n 41\r\ndelete n\r\n";
  const std::string answer = "STORED\r\nVALUE " + key + " 7 " + size + "\r\n" + value +
                             "\r\nEND\r\nSTORED\r\n42\r\nDELETED\r\n";
  return client_.Send(request) && client_.Read(answer.size()) == answer;
}

}  // namespace larder::server
