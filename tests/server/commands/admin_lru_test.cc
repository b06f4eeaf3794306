#include <string>

#include <catch2/catch.hpp>

#include "tests/server/commands/conversation.h"

namespace larder::server {
namespace {

TEST_CASE("lru tune keeps four numbers within their bounds") {
  Conversation client;
  LiveSettings& live = client.server.live;
  CHECK(client.Say("lru tune 10 25 0.1 2.5\r\n") == "OK\r\n");
  CHECK(live.hot_lru_pct.Get() == 10);
  CHECK(live.warm_lru_pct.Get() == 25);
  CHECK(live.hot_max_factor.Get() == 0.1);
  CHECK(live.warm_max_factor.Get() == 2.5);
  CHECK(client.Say("lru t 40 40 1 1 foo\r\n") == "OK\r\n");
  CHECK(client.Say("lru tune 41 40 1 1\r\n") == "ERROR hot and warm pcts must not exceed 80\r\n");
  CHECK(client.Say("lru tune 4294967295 1 1 1\r\n") ==
        "ERROR hot and warm pcts must not exceed 80\r\n");
  CHECK(client.Say("lru tune 1 1 0 1\r\n") ==
        "ERROR hot/warm age factors must be greater than 0\r\n");
  CHECK(client.Say("lru tune 1 1 1 -1\r\n") ==
        "ERROR hot/warm age factors must be greater than 0\r\n");
  CHECK(live.hot_lru_pct.Get() == 40);
  for (const std::string words :
       {"", " tune", " tune 1 1 1", " tune x 1 1 1", " tune 1 1 1 x", " tuned 1 1 1 1", " foo"}) {
    INFO(words);
    CHECK(client.Say("lru" + words + "\r\n") == "ERROR\r\n");
  }
}

TEST_CASE("lru mode and temp_ttl are kept, where there is a maintainer to heed them") {
  Conversation client;
  LiveSettings& live = client.server.live;
  CHECK(client.Say("lru mode flat\r\n") == "OK\r\n");
  CHECK_FALSE(live.lru_segmented.Get());
  CHECK(client.Say("lru m s noreply\r\n").empty());
  CHECK(live.lru_segmented.Get());
  CHECK(client.Say("lru mode x\r\n") == "ERROR\r\n");
  CHECK(client.Say("lru mode\r\n") == "ERROR\r\n");

  CHECK(client.Say("lru temp_ttl 30\r\n") == "OK\r\n");
  CHECK(live.temp_lru.Get());
  CHECK(live.temporary_ttl.Get() == 30);
  CHECK(client.Say("lru te -1\r\n") == "OK\r\n");
  CHECK_FALSE(live.temp_lru.Get());
  CHECK(live.temporary_ttl.Get() == 30);
  CHECK(client.Say("lru temp_ttl x\r\n") == "ERROR\r\n");

  Conversation without(CommandOptions{.lru_maintainer = false});
  CHECK(without.Say("lru mode flat\r\n") == "ERROR\r\n");
  CHECK(without.Say("lru temp_ttl 30\r\n") == "ERROR\r\n");
  CHECK(without.Say("lru tune 10 25 0.1 2.5\r\n") == "OK\r\n");
}

TEST_CASE("what is set of extstore is kept, by the first name that fits") {
  Conversation client;
  LiveSettings& live = client.server.live;
  CHECK(client.Say("extstore item_size 600\r\n") == "OK\r\n");
  CHECK(live.ext_item_size.Get() == 600);
  CHECK(client.Say("extstore i 700 foo\r\n") == "OK\r\n");
  CHECK(live.ext_item_size.Get() == 700);
  CHECK(client.Say("extstore max_frag 0.5\r\n") == "OK\r\n");
  CHECK(live.ext_max_frag.Get() == 0.5);
  CHECK(client.Say("extstore max_s 5 noreply\r\n").empty());
  CHECK(live.ext_max_sleep.Get() == 5);
  CHECK(client.Say("extstore drop_unread 7\r\n") == "OK\r\n");
  CHECK(live.ext_drop_unread.Get());
  CHECK(client.Say("extstore free_memchunks 63 1\r\n") == "OK\r\n");
  for (const std::string words :
       {"", " item_size", " item_size x", " free_memchunks 64 1", " free_memchunks 1",
        " max_frag x", " drop_unread -1", " foo 1"}) {
    INFO(words);
    CHECK(client.Say("extstore" + words + "\r\n") == "ERROR\r\n");
  }
}

TEST_CASE("shutdown needs leave, and knows two ways to go") {
  Conversation guarded;
  CHECK(guarded.Say("shutdown\r\n") == "SERVER_ERROR: shutdown not enabled\r\n");
  CHECK(guarded.Say("shutdown x y\r\n") == "SERVER_ERROR: shutdown not enabled\r\n");
  CHECK(guarded.server.stop_count == 0);

  Conversation client(CommandOptions{.shutdown_enabled = true});
  CHECK(client.Say("shutdown x\r\n") == "CLIENT_ERROR invalid shutdown mode\r\n");
  CHECK(client.Say("shutdown graceful x\r\n") == "CLIENT_ERROR invalid shutdown mode\r\n");
  CHECK(client.Say("shutdown noreply\r\n").empty());
  CHECK_FALSE(client.is_closed);
  CHECK(client.Say("shutdown\r\nversion\r\n").empty());
  CHECK(client.is_closed);
  CHECK(client.server.stop_count == 0);  // while who has asked for it is still there
  client.Reconnect();
  CHECK(client.server.stop_count == 1);
  CHECK(client.Say("shutdown g\r\n").empty());
  CHECK(client.is_closed);
  client.Reconnect();
  CHECK(client.server.graceful_stop_count == 1);
}

}  // namespace
}  // namespace larder::server
