// tests/server/net/front_end_fixture.h - a FrontEnd on a free loopback port that talks LineHandler.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "server/net/front_end.h"
#include "tests/server/net/line_handler.h"
#include "tests/server/net/test_client.h"

namespace larder::server {

class FrontEndFixture {
 public:
  FrontEndFixture() {
    config.tcp_addresses = {{"127.0.0.1", 0}};
    config.worker_count = 1;
    config.clients_max = 20'000;
  }
  ~FrontEndFixture() { Stop(); }

  void Start() {
    std::string error;
    front_end = FrontEnd::Create(
        config, [this] { return std::make_unique<LineService>(stats); }, log, &error);
    INFO(error);
    REQUIRE(front_end != nullptr);
    front_end->Start();
  }

  void Stop() { front_end.reset(); }

  TestClient Connect(int receive_buffer_bytes = 0) {
    TestClient client = TestClient::Tcp(front_end->Listeners().front().port, receive_buffer_bytes);
    REQUIRE(client.IsConnected());
    return client;
  }

  [[nodiscard]] bool ClientsBecome(uint64_t count) {
    return Eventually([&] { return front_end->Totals().clients == count; });
  }

  // The socket of some client is full, and the connection keeps what is left.
  [[nodiscard]] bool RepliesWait() {
    return Eventually([&] { return front_end->Totals().held_replies_bytes > 0; });
  }

  LineStats stats;
  Log log{kLogWarning};
  FrontEndConfig config;
  std::unique_ptr<FrontEnd> front_end;
};

}  // namespace larder::server
