// What C and C++ applications and most language bindings do with libmemcached, over both protocols.
// A test's name ends with the protocol, by which CMakeLists.txt makes two ctest tests of this file.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/clients/libmemcached_client.h"

#define EACH_PROTOCOL(sentence)                                                            \
  TEMPLATE_TEST_CASE_SIG(sentence, "", ((Protocol kProtocol), kProtocol), Protocol::kText, \
                         Protocol::kBinary)

namespace larder::clients {
namespace {

// Libmemcached hands on what the server says, and the binary protocol has other words for some
// refusals than the text protocol has.
template <Protocol kProtocol>
struct Refusals {
  static constexpr bool kIsText = kProtocol == Protocol::kText;
  static constexpr memcached_return_t kAddOfPresent =
      kIsText ? MEMCACHED_NOTSTORED : MEMCACHED_DATA_EXISTS;
  static constexpr memcached_return_t kReplaceOfAbsent =
      kIsText ? MEMCACHED_NOTSTORED : MEMCACHED_NOTFOUND;
};

void SleepPast(int seconds) {
  // The server's clock ticks once a second, so a time to live of n seconds ends after n at most.
  std::this_thread::sleep_for(std::chrono::milliseconds(1000 * seconds + 1200));
}

EACH_PROTOCOL("libmemcached gets back what it set, flags included") {
  ServerFixture server;
  Client client(kProtocol, {&server});
  CHECK_FALSE(client.Get("key"));
  REQUIRE(client.Set("key", "value", 0, 4294967295U) == MEMCACHED_SUCCESS);
  const auto value = client.Get("key");
  REQUIRE(value);
  CHECK(value->bytes == "value");
  CHECK(value->flags == 4294967295U);
  REQUIRE(client.Set("key", std::string("a\0b\r\nEND\r\n", 10)) == MEMCACHED_SUCCESS);
  CHECK(client.Get("key")->bytes == std::string("a\0b\r\nEND\r\n", 10));
  REQUIRE(client.Set("key", "") == MEMCACHED_SUCCESS);
  CHECK(client.Get("key")->bytes.empty());
  CHECK(server.Stop());
}

EACH_PROTOCOL("libmemcached gets many keys at once, hits and misses mixed") {
  ServerFixture server;
  Client client(kProtocol, {&server});
  std::vector<std::string> keys;
  for (int i = 0; i < 1000; ++i) {
    keys.push_back("many-" + std::to_string(i));
    if (i % 3 != 0) {
      REQUIRE(client.Set(keys.back(), "value of " + keys.back(), 0, static_cast<uint32_t>(i)) ==
              MEMCACHED_SUCCESS);
    }
  }
  const auto found = client.GetMany(keys);
  CHECK(found.size() == 666);
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto hit = found.find(keys[i]);
    REQUIRE((hit != found.end()) == (i % 3 != 0));
    if (hit == found.end()) continue;
    CHECK(hit->second.bytes == "value of " + keys[i]);
    CHECK(hit->second.flags == i);
  }
}

EACH_PROTOCOL("libmemcached's add, replace, append and prepend do what they say") {
  ServerFixture server;
  Client client(kProtocol, {&server});
  CHECK(client.Replace("key", "x") == Refusals<kProtocol>::kReplaceOfAbsent);
  CHECK(client.Append("key", "x") == MEMCACHED_NOTSTORED);
  CHECK(client.Prepend("key", "x") == MEMCACHED_NOTSTORED);
  CHECK(client.Add("key", "b") == MEMCACHED_SUCCESS);
  CHECK(client.Add("key", "x") == Refusals<kProtocol>::kAddOfPresent);
  CHECK(client.Append("key", "c") == MEMCACHED_SUCCESS);
  CHECK(client.Prepend("key", "a") == MEMCACHED_SUCCESS);
  CHECK(client.Get("key")->bytes == "abc");
  CHECK(client.Replace("key", "new") == MEMCACHED_SUCCESS);
  CHECK(client.Get("key")->bytes == "new");
  CHECK(client.Delete("key") == MEMCACHED_SUCCESS);
  CHECK(client.Delete("key") == MEMCACHED_NOTFOUND);
}

EACH_PROTOCOL("libmemcached's cas stores only what nobody has changed") {
  ServerFixture server;
  Client client(kProtocol, {&server});
  Client other(kProtocol, {&server});
  REQUIRE(client.Set("key", "one") == MEMCACHED_SUCCESS);
  const uint64_t first = client.GetMany({"key"}).at("key").cas;
  CHECK(first != 0);
  CHECK(client.Cas("key", "two", first) == MEMCACHED_SUCCESS);
  CHECK(client.Cas("key", "three", first) == MEMCACHED_DATA_EXISTS);
  const uint64_t second = client.GetMany({"key"}).at("key").cas;
  REQUIRE(other.Set("key", "changed") == MEMCACHED_SUCCESS);
  CHECK(client.Cas("key", "four", second) == MEMCACHED_DATA_EXISTS);
  CHECK(client.Get("key")->bytes == "changed");
  CHECK(client.Cas("absent", "x", second) == MEMCACHED_NOTFOUND);
}

EACH_PROTOCOL("libmemcached counts up and down, and at the ends of 64 bits") {
  ServerFixture server;
  Client client(kProtocol, {&server});
  uint64_t number = 0;
  CHECK(client.Increment("counter", 1, &number) == MEMCACHED_NOTFOUND);
  REQUIRE(client.Set("counter", "10") == MEMCACHED_SUCCESS);
  CHECK(client.Increment("counter", 32, &number) == MEMCACHED_SUCCESS);
  CHECK(number == 42);
  CHECK(client.Decrement("counter", 40, &number) == MEMCACHED_SUCCESS);
  CHECK(number == 2);
  CHECK(client.Decrement("counter", 3, &number) == MEMCACHED_SUCCESS);
  CHECK(number == 0);
  REQUIRE(client.Set("counter", "18446744073709551615") == MEMCACHED_SUCCESS);
  CHECK(client.Increment("counter", 1, &number) == MEMCACHED_SUCCESS);
  CHECK(number == 0);
  REQUIRE(client.Set("word", "word") == MEMCACHED_SUCCESS);
  CHECK(client.Increment("word", 1, &number) != MEMCACHED_SUCCESS);
  CHECK(client.Get("word")->bytes == "word");
}

EACH_PROTOCOL("libmemcached's counters are exact when several clients count at once") {
  ServerFixture server;
  constexpr int kClients = 4;
  constexpr int kRounds = 2000;
  Client first(kProtocol, {&server});
  REQUIRE(first.Set("counter", "0") == MEMCACHED_SUCCESS);
  std::vector<std::thread> threads;
  std::vector<int> failures(kClients, 0);
  for (int i = 0; i < kClients; ++i) {
    memcached_st* client = memcached_clone(nullptr, first.raw());
    threads.emplace_back([client, &failures, i] {
      for (int round = 0; round < kRounds; ++round) {
        uint64_t number = 0;
        failures[static_cast<size_t>(i)] +=
            memcached_failed(memcached_increment(client, "counter", 7, 1, &number)) ? 1 : 0;
      }
      memcached_free(client);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failures == std::vector<int>(kClients, 0));
  CHECK(first.Get("counter")->bytes == std::to_string(kClients * kRounds));
}

EACH_PROTOCOL("libmemcached's items expire, and touch moves the time") {
  ServerFixture server;
  Client client(kProtocol, {&server});
  REQUIRE(client.Set("brief", "x", 1) == MEMCACHED_SUCCESS);
  REQUIRE(client.Set("touched", "x", 1) == MEMCACHED_SUCCESS);
  REQUIRE(client.Set("shortened", "x") == MEMCACHED_SUCCESS);
  REQUIRE(client.Set("date", "x", time(nullptr) + 1000) == MEMCACHED_SUCCESS);
  REQUIRE(client.Set("past", "x", time(nullptr) - 10) == MEMCACHED_SUCCESS);
  CHECK(client.Touch("touched", 100) == MEMCACHED_SUCCESS);
  CHECK(client.Touch("shortened", 1) == MEMCACHED_SUCCESS);
  CHECK(client.Touch("absent", 1) == MEMCACHED_NOTFOUND);
  CHECK_FALSE(client.Get("past"));
  SleepPast(1);
  CHECK_FALSE(client.Get("brief"));
  CHECK_FALSE(client.Get("shortened"));
  CHECK(client.Get("touched"));
  CHECK(client.Get("date"));
}

EACH_PROTOCOL("libmemcached's large values come back whole, up to the limit") {
  ServerFixture server;
  Client client(kProtocol, {&server});
  std::vector<std::string> keys;
  for (const size_t size : {1000U, 16383U, 16384U, 65536U, 262144U, 524288U, 700000U, 1048000U}) {
    keys.push_back("large-" + std::to_string(size));
    const std::string value = Pattern(size, 'a');
    REQUIRE(client.Set(keys.back(), value) == MEMCACHED_SUCCESS);
    // CHECK would print a megabyte.
    CHECK((client.Get(keys.back())->bytes == value));
  }
  const auto found = client.GetMany(keys);
  REQUIRE(found.size() == keys.size());
  for (const auto& [key, value] : found) CHECK((value.bytes == Pattern(value.bytes.size(), 'a')));
  CHECK(client.Set("too-large", Pattern(1100000, 'b')) == MEMCACHED_E2BIG);
  CHECK_FALSE(client.Get("too-large"));
  CHECK(client.Set("too-large", "not any more") == MEMCACHED_SUCCESS);
}

EACH_PROTOCOL("libmemcached's keys may have 250 bytes") {
  ServerFixture server;
  Client client(kProtocol, {&server});
  const std::string key(250, 'k');
  REQUIRE(client.Set(key, "value") == MEMCACHED_SUCCESS);
  CHECK(client.Get(key)->bytes == "value");
  CHECK(client.Set(key + "k", "value") != MEMCACHED_SUCCESS);
}

EACH_PROTOCOL("libmemcached's requests without replies and in one buffer arrive in order") {
  ServerFixture server;
  Client writer(kProtocol, {&server});
  writer.Behave(MEMCACHED_BEHAVIOR_NOREPLY, 1);
  writer.Behave(MEMCACHED_BEHAVIOR_BUFFER_REQUESTS, 1);
  for (int i = 0; i < 2000; ++i) {
    REQUIRE_FALSE(
        memcached_failed(writer.Set("silent-" + std::to_string(i % 500), std::to_string(i))));
  }
  REQUIRE_FALSE(memcached_failed(memcached_flush_buffers(writer.raw())));
  writer.AwaitQuietRequests();
  Client reader(kProtocol, {&server});
  for (int i = 0; i < 500; ++i) {
    CHECK(reader.Get("silent-" + std::to_string(i))->bytes == std::to_string(1500 + i));
  }
}

EACH_PROTOCOL("libmemcached spreads keys over servers by consistent hashing") {
  ServerFixture one;
  ServerFixture two;
  ServerFixture three;
  Client client(kProtocol, {&one, &two, &three});
  client.Behave(MEMCACHED_BEHAVIOR_KETAMA, 1);
  std::vector<std::string> keys;
  for (int i = 0; i < 300; ++i) {
    keys.push_back("spread-" + std::to_string(i));
    REQUIRE(client.Set(keys.back(), keys.back()) == MEMCACHED_SUCCESS);
  }
  CHECK(client.GetMany(keys).size() == keys.size());
  size_t elsewhere = 0;
  for (const ServerFixture* server : {&one, &two, &three}) {
    Client single(kProtocol, {server});
    const size_t count = single.GetMany(keys).size();
    CHECK(count > 30);
    elsewhere += count;
  }
  CHECK(elsewhere == keys.size());
}

EACH_PROTOCOL("libmemcached flushes, asks for statistics and reads the version") {
  ServerFixture server;
  Client client(kProtocol, {&server});
  REQUIRE(client.Set("key", "value") == MEMCACHED_SUCCESS);
  CHECK(memcached_flush(client.raw(), 0) == MEMCACHED_SUCCESS);
  CHECK_FALSE(client.Get("key"));
  REQUIRE(memcached_version(client.raw()) == MEMCACHED_SUCCESS);
  const auto* instance = memcached_server_instance_by_position(client.raw(), 0);
  CHECK(memcached_server_major_version(instance) == 1);
  CHECK(memcached_server_minor_version(instance) == 6);
  CHECK(client.Stat("get_misses") == "1");
}

}  // namespace
}  // namespace larder::clients
