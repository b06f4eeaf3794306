// The composition root: whole servers in this process, spoken to over loopback.
#include "server/server.h"

#include <unistd.h>

#include <atomic>
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
  CHECK(first->Net().total_connections == 2);

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

TEST_CASE("settings are checked without a server") {
  CHECK_FALSE(Server::Check(Settings{}).has_value());
  Settings settings;
  settings.listen_list = "127.0.0.1:x";
  CHECK(Server::Check(settings).value().exit_code == kExitSystem);
  settings.tcp_port = 0;
  CHECK_FALSE(Server::Check(settings).has_value());  // nobody listens there
  settings.udp_port = 11211;
  CHECK(Server::Check(settings).value().exit_code == kExitSystem);
}

TEST_CASE("what commands change is what stats settings shows") {
  const std::unique_ptr<Server> server = Run(OnAFreePort());
  TestClient client = ConnectTo(*server);
  const auto shown = [&](std::string_view wanted) {
    std::string text;
    server->ForEachSetting([&](std::string_view key, std::string_view value) {
      if (key == wanted) text = value;
    });
    return text;
  };
  CHECK(Ask(client, "cache_memlimit 100\r\n", 4) == "OK\r\n");
  CHECK(shown("maxbytes") == "104857600");
  CHECK(Ask(client, "lru_crawler sleep 500\r\n", 4) == "OK\r\n");
  CHECK(shown("lru_crawler_sleep") == "500");
  CHECK(Ask(client, "lru_crawler tocrawl 7\r\n", 4) == "OK\r\n");
  CHECK(shown("lru_crawler_tocrawl") == "7");
  CHECK(Ask(client, "lru tune 10 25 0.10 2.5\r\n", 4) == "OK\r\n");
  CHECK(shown("hot_lru_pct") == "10");
  CHECK(shown("warm_lru_pct") == "25");
  CHECK(shown("hot_max_factor") == "0.10");
  CHECK(shown("warm_max_factor") == "2.50");
  CHECK(Ask(client, "lru mode flat\r\n", 4) == "OK\r\n");
  CHECK(shown("lru_segmented") == "no");
  CHECK(Ask(client, "lru temp_ttl 9\r\n", 4) == "OK\r\n");
  CHECK(shown("temp_lru") == "yes");
  CHECK(shown("temporary_ttl") == "9");
  CHECK(Ask(client, "slabs automove 0\r\n", 4) == "OK\r\n");
  CHECK(shown("slab_automove") == "0");
  CHECK(Ask(client, "slabs automove window 99\r\n", 4) == "OK\r\n");
  CHECK(shown("slab_automove_window") == "99");
  CHECK(Ask(client, "stats detail on\r\n", 4) == "OK\r\n");
  CHECK(shown("detail_enabled") == "yes");
  CHECK(Ask(client, "verbosity 1\r\n", 4) == "OK\r\n");
  CHECK(shown("verbosity") == "1");
}

TEST_CASE("a client's wish to stop the server goes to whoever runs it, where it is allowed") {
  Settings settings = OnAFreePort();
  settings.shutdown_enabled = true;
  StartFailure failure;
  const std::unique_ptr<Server> server = Server::Create(settings, &failure);
  REQUIRE(server != nullptr);
  std::atomic<int> graceful_count = 0;
  std::atomic<int> other_count = 0;
  server->OnStopRequest([&](bool graceful) { ++(graceful ? graceful_count : other_count); });
  REQUIRE_FALSE(server->Start().has_value());
  CHECK(ConnectTo(*server).Send("shutdown graceful\r\n"));
  CHECK(Eventually([&] { return graceful_count == 1; }));
  CHECK(ConnectTo(*server).Send("shutdown\r\n"));
  CHECK(Eventually([&] { return other_count == 1; }));
  server->Stop();
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
