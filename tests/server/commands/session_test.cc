#include "server/commands/session.h"

#include <string>

#include <catch2/catch.hpp>

#include "tests/server/commands/conversation.h"

namespace larder::server {
namespace {

// Requests of every kind, good and bad, and their answers.
const std::string kQuestions =
    "version\r\n"
    "set a 5 0 3\r\nabc\r\n"
    "get a b\r\nget b\ngets\r\n"
    "add a 0 0 1\r\nx\r\nappend a 0 0 2\r\nde\r\n"
    "set b 0 0 2 noreply\r\n12\r\n"
    "incr b 9\r\ndecr b 100\r\nincr a 1\r\n"
    "set c 0 0 3\r\nabcd\r\n"
    "set d x 0 5\r\nvalue\r\n"
    "foo\r\nfoo noreply\r\n\r\n"
    "touch a 0\r\ngat 0 a b c\r\n"
    "delete a\r\ndelete a\r\n"
    "get a b c d\r\n";
const std::string kAnswers =
    "VERSION 1.6.45\r\n"
    "STORED\r\n"
    "VALUE a 5 3\r\nabc\r\nEND\r\nEND\r\nCLIENT_ERROR bad command line format\r\n"
    "NOT_STORED\r\nSTORED\r\n"
    "21\r\n0\r\nCLIENT_ERROR cannot increment or decrement non-numeric value\r\n"
    "CLIENT_ERROR bad data chunk\r\nCLIENT_ERROR bad command line format\r\n"
    "CLIENT_ERROR bad command line format\r\n"
    "ERROR\r\nCLIENT_ERROR bad command line format\r\n"
    "TOUCHED\r\nVALUE a 5 5\r\nabcde\r\nVALUE b 0 2\r\n0 \r\nEND\r\n"
    "DELETED\r\nNOT_FOUND\r\n"
    "VALUE b 0 2\r\n0 \r\nEND\r\n";

TEST_CASE("a conversation in one piece is answered in order") {
  Conversation client;
  CHECK(client.Say(kQuestions) == kAnswers);
  CHECK_FALSE(client.is_closed);
  CHECK(client.unread.empty());
}

TEST_CASE("to look ahead finds the key of a text and of a binary request, and counts nothing") {
  Conversation client;
  client.Say("set key 0 0 1\r\nx\r\n");
  const std::string packet = std::string("\x80\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x03", 12) +
                             std::string(12, '\0') + "key";
  const uint64_t foreseen = client.handler->LookAhead("get key\r\n");
  CHECK(foreseen != 0);
  CHECK(client.handler->LookAhead("gets key other\r\n") == foreseen);
  CHECK(client.handler->LookAhead("get other\r\n") != foreseen);
  CHECK(client.handler->LookAhead("version\r\n") == 0);
  client.handler->LookCloser(foreseen);

  CHECK(client.Say("set long 0 0 10\r\n").empty());
  CHECK(client.handler->LookAhead("get key\r\n") == 0);  // these bytes are a value's
  CHECK(client.Say("get key\r\n!\r\n") == "STORED\r\n");
  auto stats = client.Stats();
  CHECK(stats["get_hits"] == "0");
  CHECK(stats["get_misses"] == "0");

  client.Reconnect();
  client.Say(packet);
  CHECK(client.handler->LookAhead(packet) == foreseen);
}

TEST_CASE("a conversation is answered alike in pieces of any size") {
  for (size_t piece_bytes = 1; piece_bytes < 40; ++piece_bytes) {
    INFO(piece_bytes);
    Conversation client;
    REQUIRE(client.SayInPieces(kQuestions, piece_bytes) == kAnswers);
  }
}

TEST_CASE("a conversation is answered alike wherever it is cut in two") {
  for (size_t cut = 1; cut < kQuestions.size(); ++cut) {
    INFO(cut);
    Conversation client;
    std::string answers = client.Say(kQuestions.substr(0, cut));
    answers += client.Say(kQuestions.substr(cut));
    REQUIRE(answers == kAnswers);
  }
}

TEST_CASE("replies do not wait for a later command's value") {
  Conversation client;
  CHECK(client.Say("version\r\nset k 0 0 5\r\nab") == "VERSION 1.6.45\r\n");
  CHECK(client.unread.empty());
  CHECK(client.Say("cde\r\n") == "STORED\r\n");
}

TEST_CASE("a client with more requests than a turn allows lets others go first") {
  Conversation client;
  std::string questions;
  std::string answers;
  for (uint32_t i = 0; i < 3 * Conversation::kRequestsPerTurn; ++i) {
    questions += i % 2 == 0 ? "get nothing\r\n" : "foo\r\n";
    answers += i % 2 == 0 ? "END\r\n" : "ERROR\r\n";
  }
  CHECK(client.Say(questions) == answers);
  CHECK(client.yield_count == 2);
}

TEST_CASE("just as many requests as a turn allows do not make it yield") {
  Conversation client;
  std::string questions;
  for (uint32_t i = 0; i < Conversation::kRequestsPerTurn; ++i) questions += "get nothing\r\n";
  client.Say(questions);
  CHECK(client.yield_count == 0);
}

TEST_CASE("quit closes after what was asked before it and drops what comes after") {
  Conversation client;
  CHECK(client.Say("version\r\nquit foo\r\nversion\r\n") == "VERSION 1.6.45\r\n");
  CHECK(client.is_closed);
}

TEST_CASE("the binary magic within a conversation is a byte like any other") {
  Conversation client;
  CHECK(client.Say("version\r\n\x80oo\r\n") == "VERSION 1.6.45\r\nERROR\r\n");
  CHECK_FALSE(client.is_closed);
}

TEST_CASE("a web browser is hung up on") {
  Conversation client;
  CHECK(client.Say("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n").empty());
  CHECK(client.is_closed);
}

TEST_CASE("a line without end is hung up on") {
  Conversation client;
  CHECK(client.SayInPieces(std::string(3000, 'x'), 100).empty());
  CHECK(client.is_closed);
}

TEST_CASE("a long get may arrive in small pieces") {
  Conversation client;
  client.Say("set last 0 0 2\r\nok\r\n");
  std::string line = "get";
  for (int i = 0; i < 2000; ++i) line += " key-that-is-not-there-" + std::to_string(i);
  CHECK(client.SayInPieces(line + " last\r\n", 1000) == "VALUE last 0 2\r\nok\r\nEND\r\n");
}

TEST_CASE("a step tells how many requests ended in it, answered or not") {
  Conversation client;
  const auto ended_in = [&client](std::string_view bytes) {
    const uint64_t before = client.request_count;
    client.Say(bytes);
    return client.request_count - before;
  };
  CHECK(ended_in("vers") == 0);
  CHECK(ended_in("ion\r\nget a\r\nget a b c\r\n") == 3);
  CHECK(ended_in("nonsense\r\nset a 0 0 2 noreply\r\nab\r\nget a") == 2);
  CHECK(ended_in("\r\nset a 0 0 10\r\nab") == 1);
  CHECK(ended_in("cdef") == 0);
  CHECK(ended_in("ghij\r\nget a\r\n") == 2);
  CHECK(ended_in("set big 0 0 100000\r\n") == 0);
  CHECK(ended_in(std::string(50'000, 'x')) == 0);
  CHECK(ended_in(std::string(50'000, 'x') + "\r\n") == 1);
  CHECK(client.direct_bytes > 0);
  CHECK(ended_in("set big 0 0 2000000\r\n") == 0);
  CHECK(ended_in(std::string(2'000'000, 'x') + "\r\n") == 1);
  CHECK(ended_in("lru_crawler metadump all\r\n") == 1);
  std::string many = "get";
  for (int i = 0; i < 10'000; ++i) many += " key" + std::to_string(i);
  CHECK(ended_in(many + "\r\n") == 1);
}

TEST_CASE("a session knows what it waits for, in either protocol") {
  using Wants = StreamHandler::Wants;
  Conversation client;
  CHECK(client.handler->Wanted() == Wants::kFirstByte);
  client.Say("vers");
  CHECK(client.handler->Wanted() == Wants::kRequest);
  client.Say("ion\r\nset a 0 0 10\r\nab");
  CHECK(client.handler->Wanted() == Wants::kValue);
  client.Say("cdefghij\r\nset a 0 0 2000000\r\n");
  CHECK(client.handler->Wanted() == Wants::kRefusedValue);
  client.Say(std::string(2'000'000, 'x') + "\r\n");
  CHECK(client.handler->Wanted() == Wants::kRequest);
  client.Reconnect();
  CHECK(client.handler->Wanted() == Wants::kFirstByte);
  client.Say("\x80");
  CHECK(client.handler->Wanted() == Wants::kRequest);
}

}  // namespace
}  // namespace larder::server
