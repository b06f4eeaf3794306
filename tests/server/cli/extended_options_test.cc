// The options of -o, row by row: words and exit codes are those of memcached 1.6.45.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/server/cli/command_line.h"

namespace larder::server {
namespace {

TEST_CASE("each sub-option is shown by stats settings, whether it has an effect or not") {
  struct Row {
    std::string list;
    std::string key;
    std::string value;
    std::string initial;
  };
  const std::vector<Row> rows = {
      {"maxconns_fast", "maxconns_fast", "yes", "yes"},
      {"no_maxconns_fast", "maxconns_fast", "no", "yes"},
      {"hashpower=20", "hashpower_init", "20", "0"},
      {"slab_reassign", "slab_reassign", "yes", "yes"},
      {"no_slab_reassign", "slab_reassign", "no", "yes"},
      {"no_slab_reassign,slab_reassign", "slab_reassign", "yes", "yes"},
      {"slab_automove=2", "slab_automove", "2", "1"},
      {"slab_automove=0", "slab_automove", "0", "1"},
      {"slab_automove=0,slab_automove", "slab_automove", "1", "1"},
      {"slab_automove=x", "slab_automove", "0", "1"},
      {"no_slab_automove", "slab_automove", "0", "1"},
      {"slab_automove_ratio=0.5", "slab_automove_ratio", "0.50", "0.80"},
      {"slab_automove_ratio=1", "slab_automove_ratio", "1.00", "0.80"},
      {"slab_automove_window=3", "slab_automove_window", "3", "10"},
      {"slab_automove_freeratio=0.25", "slab_automove_freeratio", "0.250", "0.010"},
      {"slab_chunk_max=256", "slab_chunk_max", "262144", "524288"},
      {"no_chunked_items", "slab_chunk_max", "1048576", "524288"},
      {"slab_chunk_max=256,no_chunked_items", "slab_chunk_max", "1048576", "524288"},
      {"lru_crawler", "lru_crawler", "yes", "yes"},
      {"no_lru_crawler", "lru_crawler", "no", "yes"},
      {"lru_crawler_sleep=500", "lru_crawler_sleep", "500", "100"},
      {"lru_crawler_tocrawl=77", "lru_crawler_tocrawl", "77", "0"},
      {"lru_crawler_tocrawl= 77 ", "lru_crawler_tocrawl", "77", "0"},
      {"tail_repair_time=10", "tail_repair_time", "10", "0"},
      {"hash_algorithm=murmur3", "hash_algorithm", "murmur3", "xxh3"},
      {"no_lru_maintainer", "lru_maintainer_thread", "no", "yes"},
      {"no_lru_maintainer", "lru_segmented", "no", "yes"},
      {"no_lru_maintainer,lru_maintainer", "lru_segmented", "yes", "yes"},
      {"hot_lru_pct=1", "hot_lru_pct", "1", "20"},
      {"warm_lru_pct=60", "warm_lru_pct", "60", "40"},
      {"hot_max_factor=0.5", "hot_max_factor", "0.50", "0.20"},
      {"warm_max_factor=3", "warm_max_factor", "3.00", "2.00"},
      {"temporary_ttl=30", "temporary_ttl", "30", "61"},
      {"temporary_ttl=30", "temp_lru", "yes", "no"},
      {"idle_timeout=60", "idle_timeout", "60", "0"},
      {"idle_timeout=-5", "idle_timeout", "-5", "0"},
      {"watcher_logbuf_size=1", "watcher_logbuf_size", "1024", "262144"},
      {"worker_logbuf_size=0", "worker_logbuf_size", "0", "65536"},
      {"read_buf_mem_limit=2", "read_buf_mem_limit", "2097152", "0"},
      {"track_sizes", "track_sizes", "yes", "no"},
      {"inline_ascii_resp", "inline_ascii_response", "no", "no"},
  };
  for (const Row& row : rows) {
    INFO(row.list);
    CHECK(ShownAs({}, row.key) == row.initial);
    CHECK(ShownAs({"-o", row.list}, row.key) == row.value);
    CHECK(ShownAs({"--extended=" + row.list}, row.key) == row.value);
  }
}

TEST_CASE("a sub-option's missing or bad value is refused with memcached's words") {
  struct Row {
    std::string list;
    std::string refusal;
  };
  const std::vector<Row> rows = {
      {"hashpower", "1: Missing numeric argument for hashpower"},
      {"hashpower=", "1: Initial hashtable multiplier of 0 is too low"},
      {"hashpower=11", "1: Initial hashtable multiplier of 11 is too low"},
      {"hashpower=33",
       "1: Initial hashtable multiplier of 33 is too high\nChoose a value based on \"STAT "
       "hash_power_level\" from a running instance"},
      {"slab_automove=3", "1: slab_automove must be between 0 and 2"},
      {"slab_automove_ratio", "1: Missing slab_automove_ratio argument"},
      {"slab_automove_ratio=0", "1: slab_automove_ratio must be > 0 and < 1"},
      {"slab_automove_ratio=x", "1: slab_automove_ratio must be > 0 and < 1"},
      {"slab_automove_window", "1: Missing slab_automove_window argument"},
      {"slab_automove_window=2", "1: slab_automove_window must be > 2 and < 1800"},
      {"slab_automove_window=1801", "1: slab_automove_window must be > 2 and < 1800"},
      {"slab_automove_freeratio", "1: Missing slab_automove_freeratio argument"},
      {"slab_automove_freeratio=x", "1: could not parse argument to slab_automove_freeratio"},
      {"tail_repair_time", "1: Missing numeric argument for tail_repair_time"},
      {"tail_repair_time=9", "1: Cannot set tail_repair_time to less than 10 seconds"},
      {"hash_algorithm", "1: Missing hash_algorithm argument"},
      {"hash_algorithm=x", "1: Unknown hash_algorithm option (jenkins, murmur3, xxh3)"},
      {"lru_crawler_sleep", "1: Missing lru_crawler_sleep value"},
      {"lru_crawler_sleep=-1", "1: LRU crawler sleep must be between 0 and 1 second"},
      {"lru_crawler_sleep=1000001", "1: LRU crawler sleep must be between 0 and 1 second"},
      {"lru_crawler_tocrawl", "1: Missing lru_crawler_tocrawl value"},
      {"lru_crawler_tocrawl=", "1: lru_crawler_tocrawl takes a numeric 32bit value"},
      {"lru_crawler_tocrawl=5x", "1: lru_crawler_tocrawl takes a numeric 32bit value"},
      {"lru_crawler_tocrawl=-1", "1: lru_crawler_tocrawl takes a numeric 32bit value"},
      {"sock_cookie_id", "1: Missing sock_cookie_id argument"},
      {"hot_lru_pct", "1: Missing hot_lru_pct argument"},
      {"hot_lru_pct=80", "1: hot_lru_pct must be > 1 and < 80"},
      {"warm_lru_pct", "1: Missing warm_lru_pct argument"},
      {"warm_lru_pct=0", "1: warm_lru_pct must be > 1 and < 80"},
      {"hot_lru_pct=79,warm_lru_pct=2",
       "64: hot_lru_pct + warm_lru_pct cannot be more than 80% combined"},
      {"hot_max_factor", "1: Missing hot_max_factor argument"},
      {"hot_max_factor=0", "1: hot_max_factor must be > 0"},
      {"warm_max_factor", "1: Missing warm_max_factor argument"},
      {"warm_max_factor=x", "1: warm_max_factor must be > 0"},
      {"temporary_ttl", "1: Missing temporary_ttl argument"},
      {"temporary_ttl=5,no_lru_maintainer",
       "64: temporary_ttl requires lru_maintainer to be enabled"},
      {"idle_timeout", "1: Missing numeric argument for idle_timeout"},
      {"watcher_logbuf_size", "1: Missing watcher_logbuf_size argument"},
      {"watcher_logbuf_size=x", "1: could not parse argument to watcher_logbuf_size"},
      {"worker_logbuf_size", "1: Missing worker_logbuf_size argument"},
      {"worker_logbuf_size=x", "1: could not parse argument to worker_logbuf_size"},
      {"read_buf_mem_limit", "1: Missing read_buf_mem_limit argument"},
      {"read_buf_mem_limit=x", "1: could not parse argument to read_buf_mem_limit"},
      {"slab_chunk_max", "1: Missing slab_chunk_max argument"},
      {"slab_chunk_max=x", "1: could not parse argument to slab_chunk_max"},
      {"slab_chunk_max=0", "1: slab_chunk_max must be >= 0"},
      {"slab_chunk_max=2000", "1: slab_chunk_max must be specified in kilobytes."},
      {"slab_chunk_max=3",
       "64: -I (item_size_max: 1048576) must be evenly divisible by slab_chunk_max (bytes: 3072)"},
      {"slab_sizes", "1: Missing slab_sizes argument"},
      {"slab_sizes=", "64: slab_sizes needs at least one size"},
      {"slab_sizes=10-20", "64: slab size 10 is out of valid range"},
      {"slab_sizes=96-600000", "64: slab size 600000 is out of valid range"},
      {"slab_sizes=96-x", "64: slab size 0 is out of valid range"},
      {"slab_sizes=96-104",
       "64: slab size 104 must be at least 8 bytes larger than previous class"},
      {"slab_sizes=96-96",
       "64: slab size 96 cannot be lower than or equal to a previous class size"},
      {"slab_sizes=96-90",
       "64: slab size 90 cannot be lower than or equal to a previous class size"},
      {"log_format", "1: Missing log_format argument"},
      {"log_format=xml", "1: Unknown log_format option (text, json)"},
  };
  for (const Row& row : rows) {
    INFO(row.list);
    CHECK(Refuse({"-o", row.list}) == row.refusal);
  }
}

TEST_CASE("a chunk size has to go with the item size") {
  CHECK(Refuse({"-o", "slab_chunk_max=1024", "-I", "512k"}) ==
        "64: slab_chunk_max (bytes: 1048576) cannot be larger than -I (item_size_max 524288)");
  CHECK(Refuse({"-o", "slab_chunk_max=100", "-I", "300k"}) ==
        "64: slab_chunk_max (bytes: 102400) must divide evenly into 1048576 (slab_page_size)");
  CHECK(Accept({"-o", "slab_chunk_max=128", "-I", "256k"}).item_bytes_max == 256 * 1024);
  // Only one that was asked for: the default would let few item sizes through.
  CHECK(Accept({"-I", "300k"}).item_bytes_max == 300 * 1024);
}

TEST_CASE("slab sizes are rounded up to multiples of eight") {
  CHECK(Accept({"-o", "slab_sizes=100-200--300"}).ParseSlabSizes().bytes ==
        std::vector<uint32_t>{104, 200, 304});
  CHECK(Accept({}).ParseSlabSizes().bytes.empty());
  std::string list = "slab_sizes=96";
  for (int bytes = 112; bytes < 112 + 16 * 61; bytes += 16) list += '-' + std::to_string(bytes);
  CHECK(Accept({"-o", list}).ParseSlabSizes().bytes.size() == 62);
  CHECK(Refuse({"-o", list + "-5000"}) == "64: too many slab classes specified");
}

TEST_CASE("the list is split at commas and nothing else") {
  CHECK(Refuse({"-o", "nosuch=5,modern"}) == "1: Illegal suboption \"nosuch=5\"");
  CHECK(Refuse({"-o", "modern, track_sizes"}) == "1: Illegal suboption \" track_sizes\"");
  CHECK(Refuse({"-o", "modern,,track_sizes"}) == "1: Illegal suboption \"\"");
  CHECK(Refuse({"-o", ",modern"}) == "1: Illegal suboption \"\"");
  CHECK(Refuse({"-o", "relaxed_privileges"}) == "1: Illegal suboption \"relaxed_privileges\"");
  CHECK(Accept({"-o", ""}).track_sizes == false);
  CHECK(Accept({"-o", "modern,"}).track_sizes == false);
  CHECK(Accept({"-o", " modern"}).track_sizes == false);
  CHECK(Accept({"-o", "modern=5,track_sizes=x"}).track_sizes);
  CHECK(Accept({"-o", "modern", "-o", "track_sizes"}).track_sizes);
  CHECK(Accept({"--extended=modern,track_sizes"}).track_sizes);
}

TEST_CASE("what nobody needs any more is accepted") {
  for (const char* list : {"modern", "inline_ascii_resp", "no_inline_ascii_resp", "no_hashexpand",
                           "sock_cookie_id=5", "no_drop_privileges"}) {
    INFO(list);
    CHECK(Parse({"-o", list}).warnings.empty());
    CHECK(Parse({"-o", list}).action == CliAction::kRun);
  }
  for (const char* list : {"resp_obj_mem_limit", "resp_obj_mem_limit=5"}) {
    CHECK(Parse({"-o", list}).warnings ==
          Words{"DEPRECATED: resp_obj_mem_limit no longer used. See read_buf_mem_limit,"});
  }
}

TEST_CASE("no_modern brings the old defaults back, and what follows it counts") {
  const Settings old = Accept({"-o", "no_modern"});
  CHECK_FALSE(old.slab_reassign);
  CHECK_FALSE(old.Rebalances());
  CHECK(old.slab_automove == 0);
  CHECK_FALSE(old.maxconns_fast);
  CHECK_FALSE(old.lru_segmented);
  CHECK_FALSE(old.lru_maintainer);
  CHECK_FALSE(old.lru_crawler);
  CHECK(old.hash_algorithm == "jenkins");
  CHECK(old.slab_chunk_max.bytes == 1024 * 1024);
  CHECK(Accept({"-o", "slab_chunk_max=256,no_modern"}).slab_chunk_max.bytes == 256 * 1024);
  CHECK(Accept({"-o", "no_modern,slab_reassign,slab_automove"}).Rebalances());
  CHECK(Accept({"-o", "no_modern,maxconns_fast"}).maxconns_fast);
}

TEST_CASE("sub-options of features that this build is without are refused by name") {
  CHECK(Refuse({"-o", "ext_path=/data/file:9G"}) ==
        "64: This server is not built with extstore support.");
  CHECK(Refuse({"-o", "modern,ssl_key=x"}) == "64: This server is not built with TLS support.");
  CHECK(Refuse({"-o", "proxy_config=routelib"}) ==
        "64: This server is not built with proxy support.");
}

}  // namespace
}  // namespace larder::server
