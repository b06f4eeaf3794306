// `stats settings`: memcached's keys in memcached's order, and values that change as they change.
#include "server/settings_report.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/server/cli/command_line.h"

namespace larder::server {
namespace {

std::string ValueOf(const Shown& shown, std::string_view key) {
  const auto found =
      std::ranges::find_if(shown, [&](const auto& setting) { return setting.first == key; });
  return found == shown.end() ? "not shown" : found->second;
}

TEST_CASE("the keys are memcached's, in its order") {
  // What 1.6.45 answers, built with privilege dropping and without TLS and proxy.
  const std::vector<std::string> expected = {"maxbytes",
                                             "maxconns",
                                             "tcpport",
                                             "udpport",
                                             "inter",
                                             "verbosity",
                                             "oldest",
                                             "evictions",
                                             "domain_socket",
                                             "umask",
                                             "shutdown_command",
                                             "growth_factor",
                                             "chunk_size",
                                             "num_threads",
                                             "num_threads_per_udp",
                                             "stat_key_prefix",
                                             "detail_enabled",
                                             "reqs_per_event",
                                             "cas_enabled",
                                             "tcp_backlog",
                                             "binding_protocol",
                                             "auth_enabled_sasl",
                                             "auth_enabled_ascii",
                                             "item_size_max",
                                             "maxconns_fast",
                                             "hashpower_init",
                                             "slab_reassign",
                                             "slab_automove",
                                             "slab_automove_ratio",
                                             "slab_automove_window",
                                             "slab_chunk_max",
                                             "lru_crawler",
                                             "lru_crawler_sleep",
                                             "lru_crawler_tocrawl",
                                             "tail_repair_time",
                                             "flush_enabled",
                                             "dump_enabled",
                                             "hash_algorithm",
                                             "lru_maintainer_thread",
                                             "lru_segmented",
                                             "hot_lru_pct",
                                             "warm_lru_pct",
                                             "hot_max_factor",
                                             "warm_max_factor",
                                             "temp_lru",
                                             "temporary_ttl",
                                             "idle_timeout",
                                             "watcher_logbuf_size",
                                             "worker_logbuf_size",
                                             "read_buf_mem_limit",
                                             "track_sizes",
                                             "inline_ascii_response",
                                             "drop_privileges",
                                             "ext_item_size",
                                             "ext_item_age",
                                             "ext_low_ttl",
                                             "ext_recache_rate",
                                             "ext_wbuf_size",
                                             "ext_compact_under",
                                             "ext_drop_under",
                                             "ext_max_sleep",
                                             "ext_max_frag",
                                             "slab_automove_freeratio",
                                             "ext_drop_unread",
                                             "num_napi_ids",
                                             "memory_file",
                                             "client_flags_size"};
  std::vector<std::string> keys;
  for (const auto& [key, value] : ShowAll({})) keys.push_back(key);
  CHECK(keys == expected);
}

TEST_CASE("what the running server knows is shown as it is now") {
  const Shown shown =
      ShowAll({}, {.verbosity = 2, .limit_bytes = uint64_t{8} << 30, .flushed_before_s = 99});
  CHECK(ValueOf(shown, "verbosity") == "2");
  CHECK(ValueOf(shown, "maxbytes") == "8589934592");
  CHECK(ValueOf(shown, "oldest") == "99");
}

TEST_CASE("settings that commands change are shown as they are now") {
  const Settings settings;
  LiveSettings live(settings);
  live.detail_enabled.Set(true);
  live.slab_automove.Set(2);
  live.lru_crawler_sleep.Set(7);
  live.hot_max_factor.Set(0.25);
  live.slab_automove_freeratio.Set(0.5);
  live.ext_drop_unread.Set(true);
  Shown shown;
  ReportSettings(settings, live, {}, [&](std::string_view key, std::string_view value) {
    shown.emplace_back(key, value);
  });
  CHECK(ValueOf(shown, "detail_enabled") == "yes");
  CHECK(ValueOf(shown, "slab_automove") == "2");
  CHECK(ValueOf(shown, "lru_crawler_sleep") == "7");
  CHECK(ValueOf(shown, "hot_max_factor") == "0.25");
  CHECK(ValueOf(shown, "slab_automove_freeratio") == "0.500");
  CHECK(ValueOf(shown, "ext_drop_unread") == "yes");
  CHECK(ValueOf(shown, "ext_item_age") == "4294967295");
}

TEST_CASE("privileges are shown as dropped only where they can be") {
  const Settings settings = Accept({"-o", "drop_privileges"});
  CHECK(ValueOf(ShowAll(settings, {.can_drop_privileges = true}), "drop_privileges") == "yes");
  CHECK(ValueOf(ShowAll(settings, {.can_drop_privileges = false}), "drop_privileges") == "no");
  CHECK(ValueOf(ShowAll({}, {.can_drop_privileges = true}), "drop_privileges") == "no");
}

TEST_CASE("where the server listens decides how many threads serve a UDP port") {
  CHECK(ShownAs({"-t", "3"}, "num_threads_per_udp") == "3");
  CHECK(ShownAs({"-t", "3", "-l", "127.0.0.1"}, "num_threads_per_udp") == "3");
  CHECK(ShownAs({"-t", "3", "-l", "127.0.0.1,::1"}, "num_threads_per_udp") == "1");
  CHECK(ShownAs({"-s", "/a"}, "inter") == "NULL");
}

}  // namespace
}  // namespace larder::server
