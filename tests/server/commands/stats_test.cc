#include "server/commands/stats.h"

#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/server/commands/conversation.h"

namespace larder::server {
namespace {

std::vector<std::string> KeysOf(const std::string& answer) {
  std::vector<std::string> keys;
  std::istringstream lines(answer);
  for (std::string line; std::getline(lines, line) && line.starts_with("STAT ");) {
    keys.push_back(line.substr(5, line.find(' ', 5) - 5));
  }
  return keys;
}

std::vector<std::string> Words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

// As the protocol reference lists them for a default memcached.
const std::string kGeneralKeys =
    "pid uptime time version libevent pointer_size rusage_user rusage_system max_connections "
    "curr_connections total_connections rejected_connections connection_structures "
    "response_obj_oom response_obj_count response_obj_bytes read_buf_count read_buf_bytes "
    "read_buf_bytes_free read_buf_oom reserved_fds cmd_get cmd_set cmd_flush cmd_touch cmd_meta "
    "get_hits get_misses get_expired get_flushed delete_misses delete_hits incr_misses incr_hits "
    "decr_misses decr_hits cas_misses cas_hits cas_badval touch_hits touch_misses "
    "store_too_large store_no_memory auth_cmds auth_errors bytes_read bytes_written "
    "limit_maxbytes accepting_conns listen_disabled_num time_in_listen_disabled_us threads "
    "conn_yields hash_power_level hash_bytes hash_is_expanding slab_reassign_rescues "
    "slab_reassign_chunk_rescues slab_reassign_inline_reclaim slab_reassign_busy_items "
    "slab_reassign_busy_deletes slab_reassign_busy_nomem slab_reassign_last_busy_status "
    "slab_reassign_running slabs_moved lru_crawler_running lru_crawler_starts "
    "lru_maintainer_juggles malloc_fails log_worker_dropped log_worker_written "
    "log_watcher_skipped log_watcher_sent log_watchers unexpected_napi_ids "
    "round_robin_fallback bytes curr_items total_items slab_global_page_pool expired_unfetched "
    "evicted_unfetched evicted_active evictions reclaimed crawler_reclaimed "
    "crawler_items_checked lrutail_reflocked moves_to_cold moves_to_warm moves_within_lru "
    "direct_reclaims lru_bumps_dropped";

TEST_CASE("plain stats has memcached's 93 keys in memcached's order") {
  Conversation client;
  const auto keys = KeysOf(client.Say("stats\r\n"));
  CHECK(keys == Words(kGeneralKeys));
  CHECK(keys.size() == 93);
}

TEST_CASE("values are formatted as memcached formats them") {
  Conversation client(CommandOptions{.connections_max = 100, .thread_count = 3});
  client.server.process = {.pid = 42,
                           .unix_time_s = 1'700'000'007,
                           .user_us = 1'000'001,
                           .system_us = 20,
                           .libevent_version = "2.1.12-stable"};
  client.server.net.curr_connections = 7;
  client.PassSeconds(9);
  auto stats = client.Stats();
  CHECK(stats["pid"] == "42");
  CHECK(stats["time"] == "1700000007");
  CHECK(stats["uptime"] == "9");
  CHECK(stats["version"] == "1.6.45");
  CHECK(stats["libevent"] == "2.1.12-stable");
  CHECK(stats["pointer_size"] == "64");
  CHECK(stats["rusage_user"] == "1.000001");
  CHECK(stats["rusage_system"] == "0.000020");
  CHECK(stats["max_connections"] == "100");
  CHECK(stats["threads"] == "3");
  CHECK(stats["curr_connections"] == "7");
  CHECK(stats["accepting_conns"] == "1");
  CHECK(stats["limit_maxbytes"] == "67108864");
  CHECK(stats["slab_reassign_last_busy_status"] == "none");
}

TEST_CASE("what commands do is counted") {
  Conversation client;
  client.Say("set a 0 0 1\r\n1\r\nset b 0 0 1\r\n1\r\nadd a 0 0 1\r\n1\r\nget a b c\r\n");
  client.Say("cas a 0 0 1 99\r\n1\r\ncas a 0 0 1 2\r\n1\r\ncas c 0 0 1 2\r\n1\r\n");
  auto stats = client.Stats();
  CHECK(stats["cmd_set"] == "6");
  CHECK(stats["cmd_get"] == "3");
  CHECK(stats["get_hits"] == "2");
  CHECK(stats["get_misses"] == "1");
  CHECK(stats["cas_badval"] == "1");
  CHECK(stats["cas_hits"] == "1");
  CHECK(stats["cas_misses"] == "1");
  CHECK(stats["curr_items"] == "2");
  CHECK(stats["total_items"] == "3");
}

TEST_CASE("stats reset zeroes what was counted and keeps what is there") {
  Conversation client;
  client.Say("set a 0 0 1\r\n1\r\nget a b\r\nflush_all 1000\r\nset k 0 0 2000000\r\n" +
             std::string(2000002, 'x'));
  CHECK(client.Say("stats reset\r\n") == "RESET\r\n");
  CHECK(client.server.reset_count == 1);
  auto stats = client.Stats();
  for (const std::string key : {"cmd_get", "cmd_set", "cmd_flush", "get_hits", "get_misses",
                                "total_items", "store_too_large"}) {
    INFO(key);
    CHECK(stats[key] == "0");
  }
  CHECK(stats["curr_items"] == "1");
  client.Say("flush_all 1000\r\nget a\r\n");
  stats = client.Stats();
  CHECK(stats["cmd_flush"] == "1");
  CHECK(stats["get_hits"] == "1");
}

TEST_CASE("an empty cache has no classes to tell of") {
  Conversation client;
  CHECK(client.Say("stats items\r\n") == "END\r\n");
}

TEST_CASE("stats items and slabs list the class that holds an item, with memcached's keys") {
  Conversation client;
  client.Say("set a 0 0 1\r\n1\r\nget a\r\n");
  const auto item_keys = KeysOf(client.Say("stats items\r\n"));
  REQUIRE(item_keys.size() == 28);
  CHECK(item_keys.front() == "items:1:number");
  CHECK(item_keys.back() == "items:1:hits_to_temp");
  auto items = client.Stats("items");
  CHECK(items["items:1:number"] == "1");
  CHECK(items["items:1:number_hot"] == "1");

  const auto slab_keys = KeysOf(client.Say("stats slabs\r\n"));
  REQUIRE(slab_keys.size() == 17);
  CHECK(slab_keys.front() == "1:chunk_size");
  CHECK(slab_keys[14] == "1:touch_hits");
  CHECK(slab_keys[15] == "active_slabs");
  CHECK(slab_keys[16] == "total_malloced");
  auto slabs = client.Stats("slabs");
  CHECK(slabs["1:total_pages"] == "1");
  CHECK(slabs["1:used_chunks"] == "1");
  CHECK(slabs["1:cmd_set"] == "1");
  CHECK(slabs["1:get_hits"] == "1");
  CHECK(slabs["active_slabs"] == "1");
}

TEST_CASE("some groups go by any prefix, some by their whole name only") {
  Conversation client;
  const std::string settings = "STAT maxbytes 67108864\r\nSTAT evictions on\r\nEND\r\n";
  CHECK(client.Say("stats settings\r\n") == settings);
  CHECK(client.Say("stats s foo\r\n") == settings);
  CHECK(client.Say("stats r\r\n") == "RESET\r\n");
  for (const std::string group : {"i", "item", "slab", "sl", "size", "RESET", "resetx", "foo"}) {
    INFO(group);
    CHECK(client.Say("stats " + group + "\r\n") == "ERROR\r\n");
  }
  CHECK(client.Say("stats sizes\r\n") == "STAT sizes_status disabled\r\nEND\r\n");
}

TEST_CASE("without memcached's maintainer and crawler their keys are not shown") {
  Conversation client(CommandOptions{.slab_reassign = false, .lru_maintainer = false});
  client.server.live.lru_crawler.Set(false);
  CHECK(KeysOf(client.Say("stats\r\n")).size() == 75);
  client.Say("set a 0 0 1\r\n1\r\n");
  CHECK(KeysOf(client.Say("stats items\r\n")).size() == 14);

  Conversation segmented;
  segmented.Say("lru temp_ttl 30\r\nset a 0 0 1\r\n1\r\n");
  CHECK(KeysOf(segmented.Say("stats items\r\n")).size() == 29);
}

TEST_CASE("idle connections that were closed are counted where that is asked for") {
  Conversation client(CommandOptions{.idle_timeout_s = 60});
  client.server.net.idle_kicks = 3;
  CHECK(client.Stats()["idle_kicks"] == "3");
  CHECK(KeysOf(client.Say("stats\r\n")).size() == 94);
}

ConnectionFacts Facts(int fd, ConnectionFacts::State state, const std::string& address,
                      const std::string& listen_address) {
  ConnectionFacts facts;
  facts.fd = fd;
  facts.state = state;
  facts.address = address;
  facts.listen_address = listen_address;
  return facts;
}

TEST_CASE("stats conns tells of each connection, and of who asks as parsing") {
  using State = ConnectionFacts::State;
  Conversation client;
  client.server.connections = {
      Facts(20, State::kListening, "tcp:127.0.0.1:11211", ""),
      Facts(22, State::kRead, "udp:127.0.0.1:11211", ""),
      Facts(26, State::kAwaiting, "tcp:127.0.0.1:40000", "tcp:127.0.0.1:11211"),
      Facts(27, State::kAwaiting, "tcp6:[::1]:40001", "tcp6:[::1]:11211"),
      Facts(28, State::kNew, "?:<AF 0>", "unix:/run/larder"),
  };
  client.server.connections[1].is_udp = true;
  client.server.connections[3].seconds_since_last_command = 9;
  CHECK(client.Say("stats conns\r\n") ==
        "STAT 20:addr tcp:127.0.0.1:11211\r\n"
        "STAT 20:state conn_listening\r\n"
        "STAT 20:secs_since_last_cmd 0\r\n"
        "STAT 22:UDP UDP\r\n"
        "STAT 22:addr udp:127.0.0.1:11211\r\n"
        "STAT 22:state conn_read\r\n"
        "STAT 22:secs_since_last_cmd 0\r\n"
        "STAT 26:addr tcp:127.0.0.1:40000\r\n"
        "STAT 26:listen_addr tcp:127.0.0.1:11211\r\n"
        "STAT 26:state conn_parse_cmd\r\n"
        "STAT 26:secs_since_last_cmd 0\r\n"
        "STAT 27:addr tcp6:[::1]:40001\r\n"
        "STAT 27:listen_addr tcp6:[::1]:11211\r\n"
        "STAT 27:state conn_watch\r\n"
        "STAT 27:secs_since_last_cmd 9\r\n"
        "STAT 28:addr ?:<AF 0>\r\n"
        "STAT 28:listen_addr unix:/run/larder\r\n"
        "STAT 28:state conn_new_cmd\r\n"
        "STAT 28:secs_since_last_cmd 0\r\n"
        "END\r\n");
  client.server.connections.assign(1000, Facts(30, State::kRead, "tcp:127.0.0.1:1", ""));
  CHECK(KeysOf(client.Say("stats co foo\r\n")).size() == 3000);
}

TEST_CASE("stats cachedump shows the keys of one class") {
  Conversation client;
  client.PassSeconds(10);
  client.Say("set a 0 0 3\r\nabc\r\nset b 0 100 1\r\n1\r\nms YmI= 1 b\r\n1\r\n");
  client.Say("set large 0 0 5000\r\n" + std::string(5000, 'v') + "\r\n");
  const std::string a = "ITEM a [3 b; 0 s]\r\n";
  const std::string b = "ITEM b [1 b; 1700000110 s]\r\n";
  const std::string both = client.Say("stats cachedump 1 0\r\n");
  CHECK((both == a + b + "END\r\n" || both == b + a + "END\r\n"));
  const std::string one = client.Say("stats cachedump 1 1 foo\r\n");
  CHECK((one == a + "END\r\n" || one == b + "END\r\n"));
  CHECK(client.Say("stats cachedump 0 0\r\n") == "END\r\n");
  CHECK(client.Say("stats c 63 0\r\n") == "END\r\n");
  CHECK(client.Say("stats cachedump 64 0\r\n") == "CLIENT_ERROR Illegal slab id\r\n");
  CHECK(client.Say("stats cachedump 1\r\n") == "CLIENT_ERROR bad command line\r\n");
  CHECK(client.Say("stats cachedump 1 x\r\n") == "CLIENT_ERROR bad command line format\r\n");
  CHECK(client.Say("stats cachedump -1 0\r\n") == "CLIENT_ERROR bad command line format\r\n");

  Conversation secret(CommandOptions{.dump_enabled = false});
  CHECK(secret.Say("stats cachedump\r\n") == "CLIENT_ERROR stats cachedump not allowed\r\n");
}

TEST_CASE("stats sizes counts items by size, where that is asked for") {
  Conversation client(CommandOptions{.track_sizes = true});
  CHECK(client.Say("stats sizes\r\n") == "END\r\n");
  client.Say("set a 0 0 1\r\n1\r\nset b 0 0 1\r\n1\r\nset c 0 0 1000\r\n" + std::string(1000, 'v') +
             "\r\n");
  const auto sizes = client.Stats("sizes");
  REQUIRE(sizes.size() == 2);
  for (const auto& [size, count] : sizes) {
    CHECK(std::stoull(size) % 32 == 0);
    CHECK(count == (std::stoull(size) < 1000 ? "2" : "1"));
  }
}

TEST_CASE("stats larder tells how long the workers took, in microseconds") {
  Conversation client;
  client.server.latency = {
      .requests = {.count = 7, .p50_ns = 1005, .p99_ns = 20'000, .p999_ns = 999, .max_ns = 0},
      .turns = {.count = 3, .p50_ns = 1, .p99_ns = 2'000'050, .p999_ns = 3'100, .max_ns = 4'000}};
  auto stats = client.Stats("larder");
  CHECK(stats["latency_requests"] == "7");
  CHECK(stats["latency_p50_us"] == "1.005");
  CHECK(stats["latency_p99_us"] == "20.000");
  CHECK(stats["latency_p999_us"] == "0.999");
  CHECK(stats["latency_max_us"] == "0.000");
  CHECK(stats["turn_count"] == "3");
  CHECK(stats["turn_p99_us"] == "2000.050");
  CHECK(stats["turn_p999_us"] == "3.100");
  CHECK(stats["turn_max_us"] == "4.000");
}

TEST_CASE("stats larder tells what memcached has no key for") {
  Conversation client;
  client.Say("set a 0 0 1\r\n1\r\n");
  auto stats = client.Stats("larder");
  CHECK(stats["larder_version"] == "0.0.1");
  CHECK(stats["limit_bytes"] == "67108864");
  CHECK(stats["probation_item_count"] == "1");
  uint64_t parts = 0;
  for (const char* part : {"page_bytes", "extent_bytes", "extent_idle_bytes", "extent_record_bytes",
                           "index_bytes", "ghost_bytes", "queue_bytes", "expiry_hint_bytes"}) {
    parts += std::stoull(stats[part]);
  }
  CHECK(std::stoull(stats["used_bytes"]) == parts);
  std::string prefix;
  for (const auto& [key, value] : stats) {
    const size_t end = key.rfind(":item_count");
    if (end != std::string::npos && value == "1") prefix = key.substr(0, end + 1);
  }
  REQUIRE(prefix.substr(0, 5) == "slab:");
  uint64_t page_parts = 0;
  for (const char* part :
       {"requested_bytes", "rounding_bytes", "free_chunk_bytes", "page_end_bytes"}) {
    page_parts += std::stoull(stats[prefix + part]);
  }
  CHECK(std::stoull(stats["page_bytes"]) == page_parts);
  CHECK(client.Say("stats larde\r\n") == "ERROR\r\n");
  CHECK(client.Say("stats extstore\r\n") == "END\r\n");
}

}  // namespace
}  // namespace larder::server
