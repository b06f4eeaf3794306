// The composition root: whole servers in this process, spoken to over loopback.
#include "server/server.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <string>

#include "tests/server/net/test_client.h"

namespace larder::server {
namespace {

Settings OnAFreePort() {
  Settings settings;
  settings.tcp_port = -1;
  settings.listen_list = "127.0.0.1";
  settings.worker_count = 2;
  return settings;
}

std::unique_ptr<Server> Run(const Settings& settings) {
  StartFailure failure;
  std::unique_ptr<Server> server = Server::Create(settings, &failure);
  INFO(failure.message);
  REQUIRE(server != nullptr);
  REQUIRE_FALSE(server->Start().has_value());
  return server;
}

TestClient ConnectTo(const Server& server) {
  TestClient client = TestClient::Tcp(server.Listeners().front().port);
  REQUIRE(client.IsConnected());
  return client;
}

std::string Ask(TestClient& client, const std::string& request, size_t answer_bytes) {
  return client.Send(request) ? client.Read(answer_bytes) : std::string();
}

StartFailure FailureOf(const Settings& settings) {
  StartFailure failure{0, "none"};
  CHECK(Server::Create(settings, &failure) == nullptr);
  return failure;
}

TEST_CASE("two servers in one process keep their items, settings and counters apart") {
  Settings small = OnAFreePort();
  small.memory_limit_mib = 32;
  const std::unique_ptr<Server> first = Run(OnAFreePort());
  const std::unique_ptr<Server> second = Run(small);
  TestClient client = ConnectTo(*first);
  TestClient other = ConnectTo(*second);
  CHECK(Ask(client, "set a 0 0 1\r\n1\r\n", 8) == "STORED\r\n");
  CHECK(Ask(other, "get a\r\n", 5) == "END\r\n");
  CHECK(Ask(client, "get a\r\n", 21) == "VALUE a 0 1\r\n1\r\nEND\r\n");
  CHECK(first->Net().total_connections == 1);

  second->SetVerbosity(1);
  std::map<std::string, std::string> shown;
  const auto keep = [&](std::string_view key, std::string_view value) {
    shown[std::string(key)] = value;
  };
  second->ForEachSetting(keep);
  CHECK(shown["verbosity"] == "1");
  CHECK(shown["maxbytes"] == "33554432");
  first->ForEachSetting(keep);
  CHECK(shown["verbosity"] == "0");
  CHECK(shown["maxbytes"] == "67108864");
}

TEST_CASE("counters of the front end start again at a reset, present figures stay") {
  const std::unique_ptr<Server> server = Run(OnAFreePort());
  TestClient client = ConnectTo(*server);
  CHECK(Ask(client, "set a 0 0 1\r\n1\r\n", 8) == "STORED\r\n");
  REQUIRE(Eventually([&] { return server->Net().bytes_written == 8; }));
  CHECK(server->Net().bytes_read == 16);
  CHECK(server->Net().curr_connections == 1);
  server->ResetNetStats();
  const NetStats stats = server->Net();
  CHECK(stats.bytes_read == 0);
  CHECK(stats.bytes_written == 0);
  CHECK(stats.total_connections == 0);
  CHECK(stats.curr_connections == 1);
  CHECK(stats.accepting_conns);
  CHECK(stats.read_buffer_count == 2);
}

TEST_CASE("a server tells about its process") {
  const std::unique_ptr<Server> server = Run(OnAFreePort());
  const ProcessStats stats = server->Process();
  CHECK(stats.pid == ::getpid());
  CHECK(std::abs(stats.unix_time_s - ::time(nullptr)) <= 2);
  CHECK(stats.libevent_version.starts_with("2."));
}

TEST_CASE("what keeps a server from starting is named with memcached's exit code") {
  Settings settings = OnAFreePort();
  settings.listen_list = "127.0.0.1:x";
  CHECK(FailureOf(settings).exit_code == kExitSystem);
  CHECK(FailureOf(settings).message ==
        "failed to listen on one of interface(s) 127.0.0.1:x: Invalid port number: \"x\"");
  settings = OnAFreePort();
  settings.unix_path = "/no/such/directory/socket";
  CHECK(FailureOf(settings).message ==
        "failed to listen on UNIX socket: /no/such/directory/socket: No such file or directory");
  settings = OnAFreePort();
  settings.smallest_item_bytes = 2'000'000;
  CHECK(FailureOf(settings).exit_code == kExitUsage);
  CHECK_FALSE(FailureOf(settings).message.empty());
}

TEST_CASE("the clock of a running server advances, so items expire") {
  const std::unique_ptr<Server> server = Run(OnAFreePort());
  TestClient client = ConnectTo(*server);
  CHECK(Ask(client, "set a 0 1 1\r\n1\r\n", 8) == "STORED\r\n");
  CHECK(Eventually([&] {
    const std::string answer = Ask(client, "get a\r\n", 5);
    if (answer == "END\r\n") return true;
    client.Read(16);  // the rest of a hit
    return false;
  }));
}

TEST_CASE("a server may be stopped twice, or never be started") {
  const std::unique_ptr<Server> server = Run(OnAFreePort());
  TestClient client = ConnectTo(*server);
  server->Stop();
  server->Stop();
  CHECK(client.SeesEnd());
  StartFailure failure;
  CHECK(Server::Create(OnAFreePort(), &failure) != nullptr);
}

}  // namespace
}  // namespace larder::server
