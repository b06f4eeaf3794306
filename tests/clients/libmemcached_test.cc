// libmemcached over text, as C and C++ applications and most language bindings use it.
#include <libmemcached/memcached.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/clients/server_fixture.h"

namespace larder::clients {
namespace {

struct Value {
  std::string bytes;
  uint32_t flags = 0;
  uint64_t cas = 0;
};

// A client of one or more servers, in the words of the tests below.
class Client {
 public:
  explicit Client(const std::vector<const ServerFixture*>& servers)
      : client_(memcached_create(nullptr), memcached_free) {
    Behave(MEMCACHED_BEHAVIOR_BINARY_PROTOCOL, 0);
    Behave(MEMCACHED_BEHAVIOR_SUPPORT_CAS, 1);
    Behave(MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
    for (const ServerFixture* server : servers) {
      REQUIRE(memcached_success(memcached_server_add(raw(), "127.0.0.1", server->port())));
    }
  }

  memcached_st* raw() { return client_.get(); }

  void Behave(memcached_behavior_t behavior, uint64_t value) {
    REQUIRE(memcached_success(memcached_behavior_set(raw(), behavior, value)));
  }

  memcached_return_t Set(std::string_view key, std::string_view value, time_t expires_s = 0,
                         uint32_t flags = 0) {
    return memcached_set(raw(), key.data(), key.size(), value.data(), value.size(), expires_s,
                         flags);
  }
  memcached_return_t Add(std::string_view key, std::string_view value) {
    return memcached_add(raw(), key.data(), key.size(), value.data(), value.size(), 0, 0);
  }
  memcached_return_t Replace(std::string_view key, std::string_view value) {
    return memcached_replace(raw(), key.data(), key.size(), value.data(), value.size(), 0, 0);
  }
  memcached_return_t Append(std::string_view key, std::string_view value) {
    return memcached_append(raw(), key.data(), key.size(), value.data(), value.size(), 0, 0);
  }
  memcached_return_t Prepend(std::string_view key, std::string_view value) {
    return memcached_prepend(raw(), key.data(), key.size(), value.data(), value.size(), 0, 0);
  }
  memcached_return_t Cas(std::string_view key, std::string_view value, uint64_t cas) {
    return memcached_cas(raw(), key.data(), key.size(), value.data(), value.size(), 0, 0, cas);
  }
  memcached_return_t Delete(std::string_view key) {
    return memcached_delete(raw(), key.data(), key.size(), 0);
  }
  memcached_return_t Touch(std::string_view key, time_t expires_s) {
    return memcached_touch(raw(), key.data(), key.size(), expires_s);
  }
  memcached_return_t Increment(std::string_view key, uint32_t by, uint64_t* result) {
    return memcached_increment(raw(), key.data(), key.size(), by, result);
  }
  memcached_return_t Decrement(std::string_view key, uint32_t by, uint64_t* result) {
    return memcached_decrement(raw(), key.data(), key.size(), by, result);
  }

  std::optional<Value> Get(std::string_view key) {
    size_t size = 0;
    uint32_t flags = 0;
    memcached_return_t status = MEMCACHED_FAILURE;
    char* bytes = memcached_get(raw(), key.data(), key.size(), &size, &flags, &status);
    if (status == MEMCACHED_NOTFOUND) return std::nullopt;
    INFO("get " << key << ": " << memcached_strerror(raw(), status));
    REQUIRE(memcached_success(status));
    Value value{.bytes = std::string(bytes == nullptr ? "" : bytes, size), .flags = flags};
    std::free(bytes);
    return value;
  }

  // Asks for all keys in one request for each server.
  std::map<std::string, Value> GetMany(const std::vector<std::string>& keys) {
    std::vector<const char*> pointers;
    std::vector<size_t> sizes;
    for (const std::string& key : keys) {
      pointers.push_back(key.data());
      sizes.push_back(key.size());
    }
    REQUIRE(memcached_success(memcached_mget(raw(), pointers.data(), sizes.data(), keys.size())));
    std::map<std::string, Value> found;
    memcached_return_t status = MEMCACHED_SUCCESS;
    memcached_result_st result;
    memcached_result_create(raw(), &result);
    while (memcached_fetch_result(raw(), &result, &status) != nullptr) {
      const std::string key(memcached_result_key_value(&result),
                            memcached_result_key_length(&result));
      found[key] = Value{
          .bytes = std::string(memcached_result_value(&result), memcached_result_length(&result)),
          .flags = memcached_result_flags(&result),
          .cas = memcached_result_cas(&result)};
    }
    memcached_result_free(&result);
    return found;
  }

 private:
  std::unique_ptr<memcached_st, decltype(&memcached_free)> client_;
};

void SleepPast(int seconds) {
  // The server's clock ticks once a second, so a time to live of n seconds ends after n at most.
  std::this_thread::sleep_for(std::chrono::milliseconds(1000 * seconds + 1200));
}

std::string Pattern(size_t size, char seed) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<char>(static_cast<size_t>(seed) + i * 31 + i / 251);
  }
  return bytes;
}

TEST_CASE("libmemcached gets back what it set, flags included") {
  ServerFixture server;
  Client client({&server});
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

TEST_CASE("libmemcached gets many keys at once, hits and misses mixed") {
  ServerFixture server;
  Client client({&server});
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

TEST_CASE("libmemcached's add, replace, append and prepend do what they say") {
  ServerFixture server;
  Client client({&server});
  CHECK(client.Replace("key", "x") == MEMCACHED_NOTSTORED);
  CHECK(client.Append("key", "x") == MEMCACHED_NOTSTORED);
  CHECK(client.Prepend("key", "x") == MEMCACHED_NOTSTORED);
  CHECK(client.Add("key", "b") == MEMCACHED_SUCCESS);
  CHECK(client.Add("key", "x") == MEMCACHED_NOTSTORED);
  CHECK(client.Append("key", "c") == MEMCACHED_SUCCESS);
  CHECK(client.Prepend("key", "a") == MEMCACHED_SUCCESS);
  CHECK(client.Get("key")->bytes == "abc");
  CHECK(client.Replace("key", "new") == MEMCACHED_SUCCESS);
  CHECK(client.Get("key")->bytes == "new");
  CHECK(client.Delete("key") == MEMCACHED_SUCCESS);
  CHECK(client.Delete("key") == MEMCACHED_NOTFOUND);
}

TEST_CASE("libmemcached's cas stores only what nobody has changed") {
  ServerFixture server;
  Client client({&server});
  Client other({&server});
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

TEST_CASE("libmemcached counts up and down, and at the ends of 64 bits") {
  ServerFixture server;
  Client client({&server});
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

TEST_CASE("libmemcached's counters are exact when several clients count at once") {
  ServerFixture server;
  constexpr int kClients = 4;
  constexpr int kRounds = 2000;
  Client first({&server});
  REQUIRE(first.Set("counter", "0") == MEMCACHED_SUCCESS);
  std::vector<std::thread> threads;
  std::vector<int> failures(kClients, 0);
  for (int i = 0; i < kClients; ++i) {
    threads.emplace_back([&server, &failures, i] {
      memcached_st* client = memcached_create(nullptr);
      memcached_server_add(client, "127.0.0.1", server.port());
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

TEST_CASE("libmemcached's items expire, and touch moves the time") {
  ServerFixture server;
  Client client({&server});
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

TEST_CASE("libmemcached's large values come back whole, up to the limit") {
  ServerFixture server;
  Client client({&server});
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
  CHECK(client.Set("too-large", Pattern(1100000, 'b')) != MEMCACHED_SUCCESS);
  CHECK_FALSE(client.Get("too-large"));
  CHECK(client.Set("too-large", "not any more") == MEMCACHED_SUCCESS);
}

TEST_CASE("libmemcached's keys may have 250 bytes") {
  ServerFixture server;
  Client client({&server});
  const std::string key(250, 'k');
  REQUIRE(client.Set(key, "value") == MEMCACHED_SUCCESS);
  CHECK(client.Get(key)->bytes == "value");
  CHECK(client.Set(key + "k", "value") != MEMCACHED_SUCCESS);
}

TEST_CASE("libmemcached's requests without replies and in one buffer arrive in order") {
  ServerFixture server;
  Client writer({&server});
  writer.Behave(MEMCACHED_BEHAVIOR_NOREPLY, 1);
  writer.Behave(MEMCACHED_BEHAVIOR_BUFFER_REQUESTS, 1);
  for (int i = 0; i < 2000; ++i) {
    REQUIRE_FALSE(
        memcached_failed(writer.Set("silent-" + std::to_string(i % 500), std::to_string(i))));
  }
  REQUIRE_FALSE(memcached_failed(memcached_flush_buffers(writer.raw())));
  // Sends quit and waits for the end, behind which everything has been done.
  memcached_quit(writer.raw());
  Client reader({&server});
  for (int i = 0; i < 500; ++i) {
    CHECK(reader.Get("silent-" + std::to_string(i))->bytes == std::to_string(1500 + i));
  }
}

TEST_CASE("libmemcached spreads keys over servers by consistent hashing") {
  ServerFixture one;
  ServerFixture two;
  ServerFixture three;
  Client client({&one, &two, &three});
  client.Behave(MEMCACHED_BEHAVIOR_KETAMA, 1);
  std::vector<std::string> keys;
  for (int i = 0; i < 300; ++i) {
    keys.push_back("spread-" + std::to_string(i));
    REQUIRE(client.Set(keys.back(), keys.back()) == MEMCACHED_SUCCESS);
  }
  CHECK(client.GetMany(keys).size() == keys.size());
  size_t elsewhere = 0;
  for (const ServerFixture* server : {&one, &two, &three}) {
    Client single({server});
    const size_t count = single.GetMany(keys).size();
    CHECK(count > 30);
    elsewhere += count;
  }
  CHECK(elsewhere == keys.size());
}

TEST_CASE("libmemcached flushes, asks for statistics and reads the version") {
  ServerFixture server;
  Client client({&server});
  REQUIRE(client.Set("key", "value") == MEMCACHED_SUCCESS);
  CHECK(memcached_flush(client.raw(), 0) == MEMCACHED_SUCCESS);
  CHECK_FALSE(client.Get("key"));
  REQUIRE(memcached_version(client.raw()) == MEMCACHED_SUCCESS);
  const auto* instance = memcached_server_instance_by_position(client.raw(), 0);
  CHECK(memcached_server_major_version(instance) == 1);
  CHECK(memcached_server_minor_version(instance) == 6);
  memcached_return_t status = MEMCACHED_FAILURE;
  memcached_stat_st* stats = memcached_stat(client.raw(), nullptr, &status);
  REQUIRE(status == MEMCACHED_SUCCESS);
  char* misses = memcached_stat_get_value(client.raw(), stats, "get_misses", &status);
  REQUIRE(misses != nullptr);
  CHECK(std::string(misses) == "1");
  std::free(misses);
  memcached_stat_free(client.raw(), stats);
}

}  // namespace
}  // namespace larder::clients
