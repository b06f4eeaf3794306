// What libmemcached offers beside the plain verbs: counters that begin somewhere, replicas, a pipe
// of quiet requests, UDP, and clients of both protocols on the same items.
#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/clients/libmemcached_client.h"

namespace larder::clients {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);
constexpr auto kPollInterval = std::chrono::milliseconds(5);

// A request without an answer has arrived when its effect is there.
bool ComesToHold(Client& reader, std::string_view key, std::string_view value) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    const auto found = reader.Get(key);
    if (found && found->bytes == value) return true;
    std::this_thread::sleep_for(kPollInterval);
  }
  return false;
}

TEST_CASE("libmemcached's counters begin where the application says") {
  ServerFixture server;
  Client client(Protocol::kBinary, {&server});
  uint64_t number = 0;
  const auto count = [&](auto function, const std::string& key, uint64_t by, time_t expires_s) {
    return function(client.raw(), key.data(), key.size(), by, 100, expires_s, &number);
  };
  CHECK(count(memcached_increment_with_initial, "up", 7, 0) == MEMCACHED_SUCCESS);
  CHECK(number == 100);
  CHECK(count(memcached_increment_with_initial, "up", 7, 0) == MEMCACHED_SUCCESS);
  CHECK(number == 107);
  CHECK(count(memcached_decrement_with_initial, "down", 7, 0) == MEMCACHED_SUCCESS);
  CHECK(number == 100);
  CHECK(count(memcached_decrement_with_initial, "down", 7, 0) == MEMCACHED_SUCCESS);
  CHECK(number == 93);
  CHECK(count(memcached_increment_with_initial, "none", 1, MEMCACHED_EXPIRATION_NOT_ADD) ==
        MEMCACHED_NOTFOUND);
  CHECK_FALSE(client.Get("none"));
  CHECK(client.Get("up")->bytes == "107");
}

TEST_CASE("libmemcached's exist looks without storing") {
  ServerFixture server;
  for (const Protocol protocol : {Protocol::kText, Protocol::kBinary}) {
    Client client(protocol, {&server});
    CHECK(memcached_exist(client.raw(), "key", 3) == MEMCACHED_NOTFOUND);
    CHECK_FALSE(client.Get("key"));
    REQUIRE(client.Set("key", "value") == MEMCACHED_SUCCESS);
    CHECK(memcached_exist(client.raw(), "key", 3) == MEMCACHED_SUCCESS);
    CHECK(client.Get("key")->bytes == "value");
    REQUIRE(client.Delete("key") == MEMCACHED_SUCCESS);
  }
}

TEST_CASE("libmemcached's text and binary clients see the same items") {
  ServerFixture server;
  Client text(Protocol::kText, {&server});
  Client binary(Protocol::kBinary, {&server});
  for (auto [writer, reader] : {std::pair(&text, &binary), std::pair(&binary, &text)}) {
    REQUIRE(writer->Set("key", Pattern(5000, 'p'), 0, 0xDEADBEEF) == MEMCACHED_SUCCESS);
    const auto seen = reader->GetMany({"key"});
    REQUIRE(seen.size() == 1);
    CHECK((seen.at("key").bytes == Pattern(5000, 'p')));
    CHECK(seen.at("key").flags == 0xDEADBEEF);
    const uint64_t cas = writer->GetMany({"key"}).at("key").cas;
    CHECK(seen.at("key").cas == cas);
    CHECK(writer->Cas("key", "9", cas) == MEMCACHED_SUCCESS);
    CHECK(reader->Cas("key", "stale", cas) == MEMCACHED_DATA_EXISTS);
    uint64_t number = 0;
    CHECK(reader->Increment("key", 1, &number) == MEMCACHED_SUCCESS);
    CHECK(writer->Get("key")->bytes == "10");
    CHECK(reader->Delete("key") == MEMCACHED_SUCCESS);
    CHECK_FALSE(writer->Get("key"));
  }
}

TEST_CASE("libmemcached keeps a copy of each item on a second server") {
  ServerFixture one;
  ServerFixture two;
  ServerFixture three;
  Client client(Protocol::kBinary, {&one, &two, &three});
  client.Behave(MEMCACHED_BEHAVIOR_NUMBER_OF_REPLICAS, 1);
  std::vector<std::string> keys;
  for (int i = 0; i < 100; ++i) {
    keys.push_back("copied-" + std::to_string(i));
    REQUIRE(client.Set(keys.back(), keys.back()) == MEMCACHED_SUCCESS);
  }
  // The copies are written quietly: the answers say that they have been.
  const auto found = client.GetMany(keys);
  REQUIRE(found.size() == keys.size());
  for (const auto& [key, value] : found) CHECK(value.bytes == key);
  size_t copies = 0;
  for (const ServerFixture* server : {&one, &two, &three}) {
    Client single(Protocol::kBinary, {server});
    copies += single.GetMany(keys).size();
  }
  CHECK(copies == 2 * keys.size());
}

TEST_CASE("libmemcached's quiet requests of every kind keep their order") {
  ServerFixture server;
  for (const Protocol protocol : {Protocol::kText, Protocol::kBinary}) {
    Client writer(protocol, {&server});
    REQUIRE(memcached_flush(writer.raw(), 0) == MEMCACHED_SUCCESS);
    writer.Behave(MEMCACHED_BEHAVIOR_NOREPLY, 1);
    const auto sent = [](memcached_return_t status) { return !memcached_failed(status); };
    for (int i = 0; i < 200; ++i) {
      const std::string key = "quiet-" + std::to_string(i);
      CHECK(sent(writer.Set(key, "1")));
      CHECK(sent(writer.Add(key, "not stored")));
      CHECK(sent(writer.Append(key, "0")));
      CHECK(sent(writer.Prepend(key, "3")));
      uint64_t number = 0;
      CHECK(sent(writer.Increment(key, 5, &number)));
      CHECK(sent(writer.Decrement(key, 1, &number)));
      if (i % 2 == 0) CHECK(sent(writer.Delete(key)));
      if (i % 4 == 0) CHECK(sent(writer.Replace(key, "not stored either")));
    }
    writer.AwaitQuietRequests();
    Client reader(protocol, {&server});
    for (int i = 0; i < 200; ++i) {
      const auto value = reader.Get("quiet-" + std::to_string(i));
      REQUIRE(value.has_value() == (i % 2 != 0));
      if (value) CHECK(value->bytes == "314");
    }
  }
}

TEST_CASE("libmemcached's requests over UDP take effect") {
  const std::string port = std::to_string(FreeUdpPort());
  ServerFixture server({"-U", port});
  for (const Protocol protocol : {Protocol::kText, Protocol::kBinary}) {
    Client reader(protocol, {&server});
    Client sender(protocol, {});
    sender.Behave(MEMCACHED_BEHAVIOR_USE_UDP, 1);
    const auto udp_port = static_cast<in_port_t>(std::stoi(port));
    REQUIRE(memcached_success(memcached_server_add(sender.raw(), "127.0.0.1", udp_port)));
    REQUIRE_FALSE(memcached_failed(sender.Set("key", "41")));
    CHECK(ComesToHold(reader, "key", "41"));
    uint64_t number = 0;
    REQUIRE_FALSE(memcached_failed(sender.Increment("key", 1, &number)));
    CHECK(ComesToHold(reader, "key", "42"));
    REQUIRE(reader.Delete("key") == MEMCACHED_SUCCESS);
  }
}

}  // namespace
}  // namespace larder::clients
