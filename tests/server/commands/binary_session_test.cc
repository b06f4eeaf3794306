#include "server/commands/binary_session.h"

#include <string>

#include <catch2/catch.hpp>

#include "tests/protocol/binary_packets.h"
#include "tests/server/commands/conversation.h"

namespace larder::server {
namespace {

using protocol::Arithmetic;
using protocol::Describe;
using protocol::Exptime;
using protocol::FlagsAndExptime;
using protocol::Packet;
using protocol::StorePacket;

constexpr int kGet = 0x00;
constexpr int kSet = 0x01;
constexpr int kAdd = 0x02;
constexpr int kReplace = 0x03;
constexpr int kDelete = 0x04;
constexpr int kIncr = 0x05;
constexpr int kQuit = 0x07;
constexpr int kFlush = 0x08;
constexpr int kGetQ = 0x09;
constexpr int kNoop = 0x0a;
constexpr int kVersion = 0x0b;
constexpr int kGetK = 0x0c;
constexpr int kGetKQ = 0x0d;
constexpr int kAppend = 0x0e;
constexpr int kStat = 0x10;
constexpr int kSetQ = 0x11;
constexpr int kQuitQ = 0x17;
constexpr int kTouch = 0x1c;
constexpr int kGat = 0x1d;
constexpr int kUnknown = 0x60;

std::string Noop(uint32_t opaque = 0) { return Packet{.opcode = kNoop, .opaque = opaque}.Bytes(); }
std::string Get(std::string key, int opcode = kGet) {
  return Packet{.opcode = opcode, .key = std::move(key)}.Bytes();
}
std::string Set(std::string key, std::string value, int opcode = kSet, uint64_t cas = 0) {
  return StorePacket(opcode, std::move(key), std::move(value), cas).Bytes();
}

std::string Ask(Conversation& client, const Packet& packet) {
  return Describe(client.Say(packet.Bytes()));
}

uint64_t CasOf(Conversation& client, const std::string& key) {
  return protocol::FromBigEndian(client.Say(Get(key)).substr(16, 8));
}

// Requests of every kind, good and bad, and their answers.
const std::string kQuestions =
    Packet{.opcode = kVersion, .opaque = 1}.Bytes() + Set("a", "abc") + Get("a") + Get("b") +
    Get("a", kGetKQ) + Get("b", kGetKQ) + Get("b", kGetK) + StorePacket(kAdd, "a", "x").Bytes() +
    StorePacket(kReplace, "b", "x").Bytes() +
    Packet{.opcode = kAppend, .key = "a", .value = "de"}.Bytes() + Set("n", "41", kSetQ) +
    Packet{.opcode = kIncr, .key = "n", .extras = Arithmetic(9, 0, 0)}.Bytes() +
    Packet{.opcode = kIncr, .key = "a", .extras = Arithmetic(9, 0, 0)}.Bytes() +
    Packet{.opcode = kUnknown, .key = "k", .extras = "ext", .value = "value"}.Bytes() +
    Packet{.opcode = kTouch, .key = "a", .extras = Exptime(0), .value = "value"}.Bytes() +
    Packet{.opcode = kGat, .key = "a", .extras = Exptime(0)}.Bytes() + Set("e", "") + Get("e") +
    Packet{.opcode = kDelete, .key = "a"}.Bytes() + Packet{.opcode = kDelete, .key = "a"}.Bytes() +
    Packet{.opcode = kFlush}.Bytes() + Get("n") + Noop(0xa1b2c3d4);
const std::string kAnswers =
    "0b 00 1 [1.6.45]\n"
    "01 00 0 cas\n"
    "00 00 0 flags 0 [abc] cas\n"
    "00 01 0 [Not found]\n"
    "0d 00 0 flags 0 key [a] [abc] cas\n"
    "0c 01 0 key [b]\n"
    "02 02 0 [Data exists for key.]\n"
    "03 01 0 [Not found]\n"
    "0e 00 0 cas\n" +
    std::string("05 00 0 [\0\0\0\0\0\0\0\x32] cas\n", 23) +
    "05 06 0 [Non-numeric server-side value for incr or decr]\n"
    "60 81 0 [Unknown command]\n"
    "1c 00 0 flags 0 cas\n"
    "1d 00 0 flags 0 [abcde] cas\n"
    "01 00 0 cas\n"
    "00 00 0 flags 0 cas\n"
    "04 00 0\n"
    "04 01 0 [Not found]\n"
    "08 00 0\n"
    "00 01 0 [Not found]\n"
    "0a 00 a1b2c3d4\n";

TEST_CASE("a binary conversation in one piece is answered in order") {
  Conversation client;
  CHECK(Describe(client.Say(kQuestions)) == kAnswers);
  CHECK_FALSE(client.is_closed);
  CHECK(client.unread.empty());
}

TEST_CASE("a binary conversation is answered alike in pieces of any size") {
  for (size_t piece_bytes = 1; piece_bytes < 80; ++piece_bytes) {
    INFO(piece_bytes);
    Conversation client;
    REQUIRE(Describe(client.SayInPieces(kQuestions, piece_bytes)) == kAnswers);
  }
}

TEST_CASE("a binary conversation is answered alike wherever it is cut in two") {
  for (size_t cut = 1; cut < kQuestions.size(); ++cut) {
    INFO(cut);
    Conversation client;
    std::string answers = client.Say(kQuestions.substr(0, cut));
    answers += client.Say(kQuestions.substr(cut));
    REQUIRE(Describe(answers) == kAnswers);
  }
}

// --- which protocol ----------------------------------------------------------------------------

TEST_CASE("the first byte decides which protocol a connection speaks") {
  Conversation client;
  CHECK(client.Say("\x80").empty());
  CHECK(Describe(client.Say(Noop().substr(1))) == "0a 00 0\n");
  CHECK(client.Say("version\r\n").empty());
  CHECK(client.Say(std::string(15, ' ')).empty());
  CHECK(client.is_closed);
  client.Reconnect();
  CHECK(client.Say("version\r\n") == "VERSION 1.6.45\r\n");
  CHECK(client.Say("\x80 is a word\r\n") == "ERROR\r\n");
}

TEST_CASE("a listener for text takes a binary packet for a line") {
  Conversation client;
  client.link.protocols = Binding::kText;
  CHECK(client.Say(Packet{.opcode = kVersion}.Bytes() + "\r\n") == "ERROR\r\n");
}

TEST_CASE("a listener for the binary protocol closes other connections without a word") {
  Conversation client;
  client.link.protocols = Binding::kBinary;
  CHECK(client.Say("version\r\nversion\r\nversi").empty());
  CHECK_FALSE(client.is_closed);
  CHECK(client.Say("s").empty());
  CHECK(client.is_closed);
}

// --- framing -----------------------------------------------------------------------------------

TEST_CASE("a packet of another shape is answered, what was asked before too, and then it is over") {
  Conversation client;
  const std::string broken = Packet{.opcode = kGetQ, .value = "v", .opaque = 7}.Bytes();
  CHECK(Describe(client.Say(Noop(1) + broken + Noop(2))) ==
        "0a 00 1\n09 04 7 [Invalid arguments]\n");
  CHECK(client.is_closed);
}

TEST_CASE("a bad magic ends the conversation behind the answers that are due") {
  Conversation client;
  CHECK(Describe(client.Say(Noop(1) + Packet{.opcode = kNoop, .magic = '\x81'}.Bytes())) ==
        "0a 00 1\n");
  CHECK(client.is_closed);
}

TEST_CASE("a refused value is skipped before the answer, however it arrives") {
  for (const size_t piece_bytes : {size_t{100}, size_t{30'000}, size_t{2'000'000}}) {
    Conversation client;
    client.Say(Set("old", "value"));
    const std::string questions = Set("old", std::string(1'500'000, 'x'), kSetQ) + Noop(1);
    CHECK(Describe(client.SayInPieces(questions, piece_bytes)) ==
          "11 03 0 [Too large.]\n0a 00 1\n");
    CHECK(Describe(client.Say(Get("old"))) == "00 01 0 [Not found]\n");
  }
}

TEST_CASE("a value that nothing is done with is skipped after the answer") {
  Conversation client;
  client.Say(Set("k", "v"));
  const Packet touch{
      .opcode = kTouch, .key = "k", .extras = Exptime(0), .value = std::string(500'000, '\x80')};
  const Packet stat{.opcode = kStat, .key = "sizes", .value = std::string(100, '\x80')};
  CHECK(Describe(client.SayInPieces(touch.Bytes() + stat.Bytes() + Noop(1), 1000)) ==
        "1c 00 0 flags 0 cas\n10 00 0 key [sizes_status] [disabled]\n10 00 0\n0a 00 1\n");
}

TEST_CASE("a datagram that makes no sense draws no answer") {
  for (const Packet& packet : {Packet{.opcode = kUnknown}, Packet{.opcode = kGet}}) {
    Conversation client;
    client.link.is_datagram = true;
    CHECK(client.Say(packet.Bytes()).empty());
    CHECK(client.is_closed);
    client.Reconnect();
    CHECK(Ask(client, {.opcode = kNoop}) == "0a 00 0\n");
  }
}

TEST_CASE("quit is answered, a quiet one is not, and nothing behind it is read") {
  Conversation client;
  CHECK(Describe(client.Say(Packet{.opcode = kQuit, .opaque = 9}.Bytes() + Noop())) == "07 00 9\n");
  CHECK(client.is_closed);
  client.Reconnect();
  CHECK(Describe(client.Say(Noop(1) + Packet{.opcode = kQuitQ}.Bytes() + Noop())) == "0a 00 1\n");
  CHECK(client.is_closed);
}

// --- values ------------------------------------------------------------------------------------

TEST_CASE("a large value goes straight to its place and is lent on its way out") {
  Conversation client;
  const std::string value(300'000, 'v');
  CHECK(Describe(client.SayInPieces(Set("k", value) + Noop(1), 20'000)) ==
        "01 00 0 cas\n0a 00 1\n");
  CHECK(client.direct_bytes > 250'000);
  CHECK(Describe(client.Say(Get("k", kGetK))) == "0c 00 0 flags 0 key [k] [" + value + "] cas\n");
  CHECK(client.loan_count == 1);
}

TEST_CASE("a value whose last byte comes by direct input is stored without further input") {
  Conversation client;
  const std::string bytes = Set("k", std::string(10'000, 'v'));
  CHECK(client.Say(std::string_view(bytes).substr(0, 100)).empty());
  const std::span<char> room = client.handler->DirectInput();
  REQUIRE(room.size() == bytes.size() - 100);
  std::memcpy(room.data(), bytes.data() + 100, room.size());
  client.service->OnTurnStart();
  const StreamStep step = client.handler->OnDirectInput(room.size(), client.replies);
  client.service->OnTurnEnd();
  CHECK(step.next == StreamStep::Next::kNeedInput);
  CHECK(Describe(client.replies.Take()) == "01 00 0 cas\n");
}

TEST_CASE("a value that is never finished is given back with its connection") {
  Conversation client;
  const std::string bytes = Set("k", std::string(100'000, 'v'));
  for (int i = 0; i < 2000; ++i) {  // three times the memory there is
    client.Say(std::string_view(bytes).substr(0, 1000));
    client.Reconnect();
  }
  CHECK(Describe(client.Say(Set("k", "v"))) == "01 00 0 cas\n");
}

TEST_CASE("unfinished values leave memory to others: the rest of one too many is dropped") {
  slab::CacheConfig config;
  config.limit_bytes = 8 * 1024 * 1024;
  Conversation client({}, config);
  const std::string bytes = Set("k", std::string(500'000, 'v'));
  std::vector<std::unique_ptr<StreamHandler>> waiting;
  std::string answer;
  for (int i = 0; i < 20 && answer.empty(); ++i) {
    client.service->OnTurnStart();
    waiting.push_back(std::move(client.handler));
    client.service->OnTurnEnd();
    client.Reconnect();
    client.Say(std::string_view(bytes).substr(0, 1000));
    if (client.handler->DirectInput().empty()) {
      answer = Describe(client.Say(std::string(bytes.substr(1000)) + Noop(1)));
    }
  }
  CHECK(answer == "01 82 0 [Out of memory during read]\n0a 00 1\n");
  client.service->OnTurnStart();
  waiting.clear();
  client.service->OnTurnEnd();
}

TEST_CASE("a cas turns every plain store into one of that very item") {
  for (const int opcode : {kSet, kAdd, kReplace}) {
    INFO(opcode);
    Conversation client;
    CHECK(Ask(client, StorePacket(opcode, "k", "v", 5)).find(" 01 ") != std::string::npos);
    client.Say(Set("k", "old"));
    const uint64_t cas = CasOf(client, "k");
    CHECK(Ask(client, StorePacket(opcode, "k", "v", cas + 1)).find(" 02 ") != std::string::npos);
    CHECK(Ask(client, StorePacket(opcode, "k", "new", cas)).find(" 00 ") != std::string::npos);
    CHECK(Describe(client.Say(Get("k"))) == "00 00 0 flags 0 [new] cas\n");
  }
}

TEST_CASE("without CAS every number is 0, and a store's is ignored") {
  Conversation client({.use_cas = false});
  CHECK(Ask(client, StorePacket(kSet, "k", "v", 5)) == "01 00 0\n");
  CHECK(Describe(client.Say(Get("k"))) == "00 00 0 flags 0 [v]\n");
  CHECK(Ask(client, {.opcode = kDelete, .key = "k", .cas = 5}) ==
        "04 02 0 [Data exists for key.]\n");
}

TEST_CASE("an exptime is never negative: all ones is far away") {
  Conversation client;
  client.Say(Packet{.opcode = kSet, .key = "k", .extras = FlagsAndExptime(0, 0xffffffff)}.Bytes());
  client.PassSeconds(10);
  CHECK(Describe(client.Say(Get("k"))) == "00 00 0 flags 0 cas\n");
  CHECK(Ask(client, {.opcode = kFlush, .extras = Exptime(0xffffffff)}) == "08 00 0\n");
  client.PassSeconds(10);
  CHECK(Describe(client.Say(Get("k"))) == "00 00 0 flags 0 cas\n");
}

// --- turns -------------------------------------------------------------------------------------

TEST_CASE("a pipeline of quiet gets is answered in order, in several turns") {
  Conversation client;
  std::string questions;
  std::string answers;
  for (int i = 0; i < 500; ++i) {
    const std::string key = "key" + std::to_string(i);
    if (i % 3 == 0) {
      questions += Set(key, std::to_string(i), kSetQ);
      answers += "0d 00 0 flags 0 key [" + key + "] [" + std::to_string(i) + "] cas\n";
    }
  }
  for (int i = 0; i < 500; ++i) questions += Get("key" + std::to_string(i), kGetKQ);
  CHECK(Describe(client.Say(questions + Noop(1))) == answers + "0a 00 1\n");
  CHECK(client.yield_count >= 500 / static_cast<int>(Conversation::kRequestsPerTurn));
}

TEST_CASE("a client that takes no replies is not answered further") {
  Conversation client;
  client.Say(Set("k", std::string(100'000, 'v')));
  std::string questions;
  for (int i = 0; i < 50; ++i) questions += Get("k", kGetQ);
  const std::string answer = client.Say(questions + Noop(1));
  CHECK(client.block_count > 5);
  CHECK(answer.size() == 50 * (24 + 4 + 100'000) + 24);
  CHECK(client.loan_count == 50);
}

// --- the rest ----------------------------------------------------------------------------------

TEST_CASE("the figures of each group are those of the text protocol, in the same order") {
  Conversation client;
  Conversation other;
  for (const std::string group : {"settings", "items", "slabs", "sizes"}) {
    INFO(group);
    client.Say("set k 0 0 1\r\nv\r\n");
    other.Say(Set("k", "v"));
    std::string lines = client.Say("stats " + group + "\r\n");
    std::string packets = Describe(other.Say(Packet{.opcode = kStat, .key = group}.Bytes()));
    std::string expected;
    while (lines.starts_with("STAT ")) {
      const size_t key_end = lines.find(' ', 5);
      expected += "10 00 0 key [" + lines.substr(5, key_end - 5) + "] [" +
                  lines.substr(key_end + 1, lines.find('\r') - key_end - 1) + "]\n";
      lines.erase(0, lines.find('\n') + 1);
    }
    CHECK(packets == expected + "10 00 0\n");
  }
}

TEST_CASE("sizes that are tracked are counted by somebody else, what follows waits for it") {
  CommandOptions options;
  options.track_sizes = true;
  Conversation client(options);
  client.Say(Set("a", std::string(1'500'000, 'x')));  // refused: its answer must not come again
  client.Say(Set("a", "v") + Set("b", "v"));
  const Packet stat{.opcode = kStat, .key = "sizes", .value = "skipped", .opaque = 5};
  const std::string answer = Describe(client.Say(stat.Bytes() + Noop(1)));
  INFO(answer);
  CHECK(answer.starts_with("10 00 5 key ["));
  CHECK(answer.ends_with("] [2]\n10 00 5\n0a 00 1\n"));
}

TEST_CASE("a group that is none is not found") {
  Conversation client;
  for (const std::string group : {"conns", "set", "itemsx", "detail", "detail what"}) {
    CHECK(Ask(client, {.opcode = kStat, .key = group}) == "10 01 0 [Not found]\n");
  }
}

TEST_CASE("stores that are refused, or never finished, are not counted") {
  Conversation client;
  client.Say(Set("k", "value").substr(0, 35));
  client.Reconnect();
  CHECK(client.Stats()["cmd_set"] == "0");
  client.Reconnect();
  client.Say(Set("k", std::string(1'500'000, 'x')));
  client.Reconnect();
  CHECK(client.Stats()["store_too_large"] == "0");
  client.Say("set k 0 0 1500000\r\n" + std::string(1'500'000, 'x') + "\r\n");
  CHECK(client.Stats()["store_too_large"] == "1");
}

TEST_CASE("a flush that is not allowed is refused, quiet or not, and not counted") {
  Conversation client({.flush_enabled = false});
  client.Say(Set("k", "v"));
  CHECK(Ask(client, {.opcode = kFlush}) == "08 20 0 [Auth failure.]\n");
  CHECK(Ask(client, {.opcode = 0x18}) == "18 20 0 [Auth failure.]\n");
  CHECK(Describe(client.Say(Get("k"))) == "00 00 0 flags 0 [v] cas\n");
  client.Reconnect();
  CHECK(client.Stats()["cmd_flush"] == "0");
}

TEST_CASE("a step tells how many binary requests ended in it, the first step, too") {
  Conversation client;
  const std::string cut = Set("b", std::string(1000, 'v'));
  client.Say(Set("a", "1", kSetQ) + Get("a") + cut.substr(0, 500));
  CHECK(client.request_count == 2);
  client.Say(cut.substr(500) + Noop(1));
  CHECK(client.request_count == 4);
}

}  // namespace
}  // namespace larder::server
