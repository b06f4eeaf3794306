#include "server/commands/retrieval.h"

#include <string>

#include <catch2/catch.hpp>

#include "tests/server/commands/conversation.h"

namespace larder::server {
namespace {

std::string Set(const std::string& key, const std::string& value) {
  return "set " + key + " 0 0 " + std::to_string(value.size()) + " noreply\r\n" + value + "\r\n";
}

std::string Value(const std::string& key, const std::string& value) {
  return "VALUE " + key + " 0 " + std::to_string(value.size()) + "\r\n" + value + "\r\n";
}

TEST_CASE("hits come in the order of the keys, misses are silent, duplicates repeat") {
  Conversation client;
  client.Say(Set("a", "1") + Set("b", "2"));
  CHECK(client.Say("get b x a a y\r\n") ==
        Value("b", "2") + Value("a", "1") + Value("a", "1") + "END\r\n");
}

TEST_CASE("pipelined retrievals are answered one by one, each in its own form") {
  Conversation client;
  client.Say("set a 3 0 1\r\n1\r\n");
  CHECK(client.Say("get a\r\ngets a x\nget x\r\nget a a\r\n") ==
        "VALUE a 3 1\r\n1\r\nEND\r\nVALUE a 3 1 2\r\n1\r\nEND\r\nEND\r\n"
        "VALUE a 3 1\r\n1\r\nVALUE a 3 1\r\n1\r\nEND\r\n");
}

TEST_CASE("a store between two pipelined retrievals is seen by the second only") {
  Conversation client;
  client.Say(Set("a", "1"));
  CHECK(client.Say("get a\r\nset a 0 0 1\r\n2\r\nget a\r\n") ==
        Value("a", "1") + "END\r\nSTORED\r\n" + Value("a", "2") + "END\r\n");
}

TEST_CASE("a retrieval may have any number of keys around the size of a group") {
  Conversation client;
  for (int i = 0; i < 100; ++i) client.Say(Set("k" + std::to_string(i), std::to_string(i)));
  for (const int key_count : {1, 31, 32, 33, 63, 64, 65, 100}) {
    for (const std::string line_end : {"\r\n", "\n", "  \r\n"}) {
      INFO(key_count);
      std::string question = "get";
      std::string answer;
      for (int i = 0; i < key_count; ++i) {
        question += " k" + std::to_string(i) + (i % 7 == 0 ? " " : "");
        answer += Value("k" + std::to_string(i), std::to_string(i));
      }
      REQUIRE(client.Say(question + line_end + "version\r\n") ==
              answer + "END\r\nVERSION 1.6.45\r\n");
      REQUIRE(client.Say("gat 0" + question.substr(3) + line_end) == answer + "END\r\n");
    }
  }
}

TEST_CASE("a retrieval of very many keys lets others go first") {
  Conversation client;
  std::string question = "get";
  for (int i = 0; i < 10000; ++i) question += " a";
  CHECK(client.Say(question + "\r\n") == "END\r\n");
  CHECK(client.yield_count == 2);
}

TEST_CASE("retrieval stops while the client does not take its replies") {
  Conversation client;
  const std::string value(10000, 'v');
  client.Say(Set("a", value));
  std::string question = "get";
  std::string answer;
  for (int i = 0; i < 500; ++i) {
    question += " a";
    answer += Value("a", value);
  }
  CHECK(client.Say(question + "\r\nversion\r\n") == answer + "END\r\nVERSION 1.6.45\r\n");
  CHECK(client.block_count > 5);
}

TEST_CASE("a large value is lent, not copied, and outlives its item") {
  Conversation client;
  const std::string value(100000, 'v');
  client.Say(Set("a", value));
  CHECK(client.Say("get a\r\ndelete a\r\nget a\r\n") ==
        Value("a", value) + "END\r\nDELETED\r\nEND\r\n");
  CHECK(client.loan_count == 1);
}

TEST_CASE("a client that asks for many large values has few of them lent at a time") {
  Conversation client;
  const std::string value(500000, 'v');
  client.Say(Set("a", value));
  client.Say("get a\r\n");
  std::string question = "get";
  for (int i = 0; i < 20; ++i) question += " a";
  client.loan_count = 0;
  client.Say(question + "\r\n");
  CHECK(client.loan_count == 20);
  CHECK(client.block_count >= 20);
}

TEST_CASE("one key that is too long spoils its retrieval and no other") {
  Conversation client;
  client.Say(Set("a", "1"));
  const std::string long_key(251, 'k');
  CHECK(client.Say("get a\r\nget a " + long_key + " a\r\nget a\r\n") ==
        Value("a", "1") + "END\r\nCLIENT_ERROR bad command line format\r\n" + Value("a", "1") +
            "END\r\n");
  const std::string longest_key(250, 'k');
  client.Say(Set(longest_key, "2"));
  CHECK(client.Say("get " + longest_key + "\r\n") == Value(longest_key, "2") + "END\r\n");
}

TEST_CASE("the keys before one that is too long are looked up all the same") {
  Conversation client;
  client.Say(Set("a", "1"));
  const std::string long_key(251, 'k');
  const std::string error = "CLIENT_ERROR bad command line format\r\n";
  std::string many = "get";
  for (int i = 0; i < 99; ++i) many += " a";
  CHECK(client.Say(many + " " + long_key + " a\r\nversion\r\n") == error + "VERSION 1.6.45\r\n");
  CHECK(client.Stats()["get_hits"] == "99");
  CHECK(client.Say("gat -1 x a " + long_key + " a\r\nget a\r\n") == error + "END\r\n");
  CHECK(client.Stats()["cmd_touch"] == "2");
}

TEST_CASE("gat gives the value and a new expiry") {
  Conversation client;
  client.Say("set a 0 10 1\r\n1\r\n");
  CHECK(client.Say("gat 100 a x\r\n") == Value("a", "1") + "END\r\n");
  CHECK(client.Say("gats 100 a\r\n") == "VALUE a 0 1 2\r\n1\r\nEND\r\n");
  client.PassSeconds(50);
  CHECK(client.Say("get a\r\n") == Value("a", "1") + "END\r\n");
  CHECK(client.Say("gat -1 a\r\n") == Value("a", "1") + "END\r\n");
  CHECK(client.Say("get a\r\n") == "END\r\n");

  auto stats = client.Stats();
  CHECK(stats["cmd_touch"] == "4");
  CHECK(stats["touch_hits"] == "3");
  CHECK(stats["touch_misses"] == "1");
  CHECK(stats["cmd_get"] == "2");
  CHECK(stats["get_hits"] == "1");
  CHECK(stats["get_misses"] == "1");
}

}  // namespace
}  // namespace larder::server
