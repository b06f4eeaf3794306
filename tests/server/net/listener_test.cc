#include "server/net/listener.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/server/net/test_client.h"

namespace larder::server {
namespace {

constexpr int kBacklog = 16;

// A directory that goes with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "larder_listener_XXXXXX";
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string File(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

mode_t ModeOf(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

TEST_CASE("a listener on port 0 tells which port it got") {
  const ListenResult result = OpenTcpListeners({{"127.0.0.1", 0}}, kBacklog);
  REQUIRE(result.error.empty());
  REQUIRE(result.sockets.size() == 1);
  CHECK(result.sockets[0].port != 0);
  CHECK(result.sockets[0].family == AF_INET);
  CHECK(TestClient::Tcp(result.sockets[0].port).IsConnected());
}

TEST_CASE("several addresses without a port share one") {
  const ListenResult result = OpenTcpListeners({{"127.0.0.1", 0}, {"127.0.0.2", 0}}, kBacklog);
  REQUIRE(result.sockets.size() == 2);
  CHECK(result.sockets[0].port == result.sockets[1].port);
}

TEST_CASE("the same address twice is bound once") {
  const uint16_t port = OpenTcpListeners({{"127.0.0.1", 0}}, kBacklog).sockets.at(0).port;
  const ListenResult result =
      OpenTcpListeners({{"127.0.0.1", port}, {"127.0.0.2", port}, {"127.0.0.1", port}}, kBacklog);
  CHECK(result.error.empty());
  CHECK(result.sockets.size() == 2);
}

TEST_CASE("a port that is taken, a host that is not known and a foreign address are failures") {
  const ListenResult holder = OpenTcpListeners({{"127.0.0.1", 0}}, kBacklog);
  const uint16_t port = holder.sockets.at(0).port;
  CHECK(OpenTcpListeners({{"127.0.0.1", port}}, kBacklog).error == "Address already in use");
  CHECK_FALSE(OpenTcpListeners({{"no host has blanks", 0}}, kBacklog).error.empty());
  // 192.0.2.0/24 is for documentation; no machine has it.
  CHECK(OpenTcpListeners({{"127.0.0.1", 0}, {"192.0.2.1", 0}}, kBacklog).error ==
        "Cannot assign requested address");
}

TEST_CASE("an optional address that this machine does not have is left out") {
  const ListenResult result =
      OpenTcpListeners({{"127.0.0.1", 0}, {"192.0.2.1", 0, /*is_optional=*/true}}, kBacklog);
  CHECK(result.error.empty());
  CHECK(result.sockets.size() == 1);
}

TEST_CASE("the mode of a unix socket is the one asked for, whatever the umask") {
  const TemporaryDirectory directory;
  const mode_t before = ::umask(077);
  const ListenResult wide = OpenUnixListener(directory.File("wide"), 0777, kBacklog);
  ::umask(0);
  const ListenResult narrow = OpenUnixListener(directory.File("narrow"), 0700, kBacklog);
  ::umask(before);
  CHECK(ModeOf(directory.File("wide")) == 0777);
  CHECK(ModeOf(directory.File("narrow")) == 0700);
  CHECK(TestClient::Unix(directory.File("narrow")).IsConnected());
}

TEST_CASE("a unix socket that was left behind is replaced, another file is not") {
  const TemporaryDirectory directory;
  const std::string path = directory.File("socket");
  { const ListenResult left_behind = OpenUnixListener(path, 0700, kBacklog); }
  REQUIRE(std::filesystem::exists(path));
  const ListenResult second = OpenUnixListener(path, 0700, kBacklog);
  CHECK(second.error.empty());
  CHECK(TestClient::Unix(path).IsConnected());

  const std::string file = directory.File("file");
  std::ofstream(file) << "precious";
  CHECK(OpenUnixListener(file, 0700, kBacklog).error == "Address already in use");
  CHECK(std::filesystem::file_size(file) == 8);
  CHECK_FALSE(OpenUnixListener(directory.File("no/such/directory"), 0700, kBacklog).error.empty());
  CHECK_FALSE(OpenUnixListener(std::string(200, 'x'), 0700, kBacklog).error.empty());
}

}  // namespace
}  // namespace larder::server
