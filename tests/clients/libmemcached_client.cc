#include "tests/clients/libmemcached_client.h"

#include <catch2/catch.hpp>
#include <cstdlib>

namespace larder::clients {

std::string Pattern(size_t size, char seed) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<char>(static_cast<size_t>(seed) + i * 31 + i / 251);
  }
  return bytes;
}

Client::Client(Protocol protocol, const std::vector<const ServerFixture*>& servers)
    : client_(memcached_create(nullptr), memcached_free) {
  Behave(MEMCACHED_BEHAVIOR_BINARY_PROTOCOL, protocol == Protocol::kBinary ? 1 : 0);
  Behave(MEMCACHED_BEHAVIOR_SUPPORT_CAS, 1);
  Behave(MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
  for (const ServerFixture* server : servers) {
    REQUIRE(memcached_success(memcached_server_add(raw(), "127.0.0.1", server->port())));
  }
}

void Client::Behave(memcached_behavior_t behavior, uint64_t value) {
  REQUIRE(memcached_success(memcached_behavior_set(raw(), behavior, value)));
}

memcached_return_t Client::Set(std::string_view key, std::string_view value, time_t expires_s,
                               uint32_t flags) {
  return memcached_set(raw(), key.data(), key.size(), value.data(), value.size(), expires_s, flags);
}

memcached_return_t Client::Add(std::string_view key, std::string_view value) {
  return memcached_add(raw(), key.data(), key.size(), value.data(), value.size(), 0, 0);
}

memcached_return_t Client::Replace(std::string_view key, std::string_view value) {
  return memcached_replace(raw(), key.data(), key.size(), value.data(), value.size(), 0, 0);
}

memcached_return_t Client::Append(std::string_view key, std::string_view value) {
  return memcached_append(raw(), key.data(), key.size(), value.data(), value.size(), 0, 0);
}

memcached_return_t Client::Prepend(std::string_view key, std::string_view value) {
  return memcached_prepend(raw(), key.data(), key.size(), value.data(), value.size(), 0, 0);
}

memcached_return_t Client::Cas(std::string_view key, std::string_view value, uint64_t cas) {
  return memcached_cas(raw(), key.data(), key.size(), value.data(), value.size(), 0, 0, cas);
}

memcached_return_t Client::Delete(std::string_view key) {
  return memcached_delete(raw(), key.data(), key.size(), 0);
}

memcached_return_t Client::Touch(std::string_view key, time_t expires_s) {
  return memcached_touch(raw(), key.data(), key.size(), expires_s);
}

memcached_return_t Client::Increment(std::string_view key, uint32_t by, uint64_t* result) {
  return memcached_increment(raw(), key.data(), key.size(), by, result);
}

memcached_return_t Client::Decrement(std::string_view key, uint32_t by, uint64_t* result) {
  return memcached_decrement(raw(), key.data(), key.size(), by, result);
}

std::optional<Value> Client::Get(std::string_view key) {
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

std::map<std::string, Value> Client::GetMany(const std::vector<std::string>& keys) {
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

void Client::AwaitQuietRequests() {
  Behave(MEMCACHED_BEHAVIOR_NOREPLY, 0);
  (void)Get("behind-the-quiet-requests");
}

std::string Client::Stat(const char* name) {
  memcached_return_t status = MEMCACHED_FAILURE;
  memcached_stat_st* stats = memcached_stat(raw(), nullptr, &status);
  REQUIRE(status == MEMCACHED_SUCCESS);
  char* bytes = memcached_stat_get_value(raw(), stats, name, &status);
  memcached_stat_free(raw(), stats);
  REQUIRE(bytes != nullptr);
  std::string value(bytes);
  std::free(bytes);
  return value;
}

}  // namespace larder::clients
