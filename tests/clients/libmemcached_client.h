// tests/clients/libmemcached_client.h - a libmemcached client in the words of the tests.
//
// Owner    whoever constructs it; the destructor closes its connections.
// Threads  one client belongs to one thread, as in libmemcached.
// Errors   what libmemcached reports is handed on; what no test expects fails the test (REQUIRE).
// Not here the server that it talks to: server_fixture.h
#pragma once

#include <libmemcached/memcached.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/clients/server_fixture.h"

namespace larder::clients {

enum class Protocol { kText, kBinary };

struct Value {
  std::string bytes;
  uint32_t flags = 0;
  uint64_t cas = 0;
};

// Size bytes of every value, which depend on the seed.
std::string Pattern(size_t size, char seed);

class Client {
 public:
  // A client of one or more servers.
  Client(Protocol protocol, const std::vector<const ServerFixture*>& servers);

  memcached_st* raw() { return client_.get(); }

  void Behave(memcached_behavior_t behavior, uint64_t value);

  memcached_return_t Set(std::string_view key, std::string_view value, time_t expires_s = 0,
                         uint32_t flags = 0);
  memcached_return_t Add(std::string_view key, std::string_view value);
  memcached_return_t Replace(std::string_view key, std::string_view value);
  memcached_return_t Append(std::string_view key, std::string_view value);
  memcached_return_t Prepend(std::string_view key, std::string_view value);
  memcached_return_t Cas(std::string_view key, std::string_view value, uint64_t cas);
  memcached_return_t Delete(std::string_view key);
  memcached_return_t Touch(std::string_view key, time_t expires_s);
  memcached_return_t Increment(std::string_view key, uint32_t by, uint64_t* result);
  memcached_return_t Decrement(std::string_view key, uint32_t by, uint64_t* result);

  std::optional<Value> Get(std::string_view key);

  // Asks for all keys in one request for each server.
  std::map<std::string, Value> GetMany(const std::vector<std::string>& keys);

  // Asks for answers again, and for one, behind which everything sent before has been done.
  void AwaitQuietRequests();

  // One statistic of the first server.
  std::string Stat(const char* name);

 private:
  std::unique_ptr<memcached_st, decltype(&memcached_free)> client_;
};

}  // namespace larder::clients
