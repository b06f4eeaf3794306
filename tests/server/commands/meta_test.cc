// mg, ms, md, ma, me and mn, where the clock, the memory or the way bytes arrive matter; what
// needs none of these is in the transcripts of tests/wire.
#include <string>

#include <catch2/catch.hpp>

#include "tests/server/commands/conversation.h"

namespace larder::server {
namespace {

// --- time --------------------------------------------------------------------------------------

TEST_CASE("mg shows how long ago the item was asked for, before it counts itself") {
  Conversation client;
  client.Say("ms k 2\r\nab\r\n");
  client.PassSeconds(7);
  CHECK(client.Say("mg k l h u\r\n") == "HD l7 h0\r\n");
  CHECK(client.Say("mg k l h\r\n") == "HD l7 h0\r\n");
  client.PassSeconds(3);
  CHECK(client.Say("mg k l h u\r\n") == "HD l3 h1\r\n");
  CHECK(client.Say("me k\r\n").find(" la=3 ") != std::string::npos);
}

TEST_CASE("R gives the token when less than its time is left, not when as much is") {
  Conversation client;
  client.Say("ms k 2 T100\r\nab\r\n");
  CHECK(client.Say("mg k R100\r\n") == "HD\r\n");
  CHECK(client.Say("mg k R101\r\n") == "HD W\r\n");
  client.Say("ms k 2 T100\r\nab\r\n");
  client.PassSeconds(1);
  CHECK(client.Say("mg k R100\r\n") == "HD W\r\n");
}

TEST_CASE("R takes an absolute time, and one that is over means nothing") {
  Conversation client;
  const int64_t now = Conversation::kStartUnixSeconds;
  client.Say("ms k 2 T100\r\nab\r\n");
  CHECK(client.Say("mg k R" + std::to_string(now - 5) + "\r\n") == "HD\r\n");
  CHECK(client.Say("mg k R-1\r\n") == "HD\r\n");
  CHECK(client.Say("mg k R" + std::to_string(now + 100) + "\r\n") == "HD\r\n");
  CHECK(client.Say("mg k R" + std::to_string(now + 101) + "\r\n") == "HD W\r\n");
}

TEST_CASE("t counts down, and an item that mg makes has the time that N gives") {
  Conversation client;
  CHECK(client.Say("mg k N30 t\r\n") == "HD t30 W\r\n");
  client.PassSeconds(10);
  CHECK(client.Say("mg k t\r\n") == "HD t20 Z\r\n");
  CHECK(client.Say("me k\r\n").find(" exp=20 ") != std::string::npos);
  client.PassSeconds(20);
  CHECK(client.Say("mg k t\r\n") == "EN\r\n");
  CHECK(client.Say("me k\r\n") == "EN\r\n");
}

TEST_CASE("a time that is over is shown on 32 bits") {
  Conversation client;
  client.Say("ms k 2\r\nab\r\n");
  // The engine keeps second 1 for it, and the process begins at second 62.
  CHECK(client.Say("mg k T-1 t\r\n") == "HD t" + std::to_string(4294967296 - 61) + "\r\n");
}

// --- values that take several turns ------------------------------------------------------------

TEST_CASE("the answer to ms needs its line no more, however the value arrives") {
  const std::string requests =
      "ms Zm9v 5 b F7 k Oabc s T30\r\nhello\r\n"
      "mg foo v f t k\r\n"
      "ms Zm9v 2 k O1 b MA s\r\n!!\r\n"
      "ms Zm9v 1 q b C0 Obad k\r\nx\r\n"
      "ms Zm9v 1 q b\r\n1\r\n"
      "mg foo v k q\r\n";
  const std::string answers =
      "HD kZm9v b Oabc s5\r\n"
      "VA 5 f7 t30 kZm9v b\r\nhello\r\n"
      "HD kZm9v b O1 s7\r\n"
      "EX Obad kZm9v b\r\n"
      "VA 1 kZm9v b\r\n1\r\n";
  for (size_t piece_bytes = 1; piece_bytes <= requests.size(); ++piece_bytes) {
    Conversation client;
    INFO(piece_bytes);
    REQUIRE(client.SayInPieces(requests, piece_bytes) == answers);
  }
}

TEST_CASE("a client that waits for its answer is not given another's flags") {
  Conversation first;
  CHECK(first.Say("ms slow 4 Oslow k s\r\nab").empty());
  // The same worker's other client speaks meanwhile, through the same arguments.
  const std::unique_ptr<StreamHandler> waiting = std::move(first.handler);
  const std::string unread = first.unread;
  first.Reconnect();
  CHECK(first.Say("ms quick 1 Oquick c T9 q\r\nx\r\nmg quick Oother v\r\n") ==
        "VA 1 Oother\r\nx\r\n");
  first.service->OnTurnStart();
  const std::string rest = unread + "cd\r\n";
  CHECK(waiting->OnInput(rest, 20, first.replies).next == StreamStep::Next::kNeedInput);
  CHECK(first.replies.Take() == "HD Oslow kslow s4\r\n");
  first.service->OnTurnEnd();
}

TEST_CASE("a large value of ms is taken straight from the connection") {
  Conversation client;
  const std::string value(500'000, 'v');
  const std::string request = "ms big 500000 s Oabc k\r\n" + value + "\r\n";
  CHECK(client.SayInPieces(request, 60'000) == "HD s500000 Oabc kbig\r\n");
  CHECK(client.direct_bytes > 400'000);
  CHECK(client.Say("mg big v\r\n") == "VA 500000\r\n" + value + "\r\n");
  CHECK(client.loan_count == 1);
}

TEST_CASE("mg without v does not lend a large value") {
  Conversation client;
  client.Say("ms big 100000\r\n" + std::string(100'000, 'v') + "\r\n");
  CHECK(client.Say("mg big s\r\n") == "HD s100000\r\n");
  CHECK(client.loan_count == 0);
}

TEST_CASE("a value that memory is missing for half-way is dropped, quietly with q") {
  slab::CacheConfig config;
  config.limit_bytes = 8ULL << 20;
  Conversation client({}, config);
  std::vector<std::unique_ptr<StreamHandler>> waiting;
  for (int i = 0; i < 16; ++i) {
    client.Say("ms big" + std::to_string(i) + " 900000 k\r\nbegun");
    waiting.push_back(std::move(client.handler));
    client.Reconnect();
  }
  client.Say("ms k 2 T0\r\nab\r\n");
  const std::string rest(900'000 - 5, 'x');
  CHECK(client.Say("ms k 900000 Oabc\r\nbegun").empty());
  CHECK(client.Say(rest + "\r\n") == "SERVER_ERROR Out of memory during read\r\n");
  CHECK(client.Say("ms k 900000 Oabc q\r\nbegun").empty());
  CHECK(client.Say(rest + "\r\n").empty());
  CHECK(client.Say("mg k v\r\n") == "VA 2\r\nab\r\n");
  client.service->OnTurnStart();
  waiting.clear();
  client.service->OnTurnEnd();
}

// --- what is said when -------------------------------------------------------------------------

TEST_CASE("mn sends what was answered before anything behind it is looked at") {
  Conversation client;
  client.Say("ms k 2\r\nab\r\n");
  CHECK(client.Say("mg k q v\r\nmn\r\nmg k s\r\nmn\r\n") == "VA 2\r\nab\r\nMN\r\nHD s2\r\nMN\r\n");
  CHECK(client.block_count == 1);  // behind the last there is nothing
}

// A sink that keeps the answers apart, as datagrams do.
class AnswerSink final : public protocol::ReplySink {
 public:
  AnswerSink() { numbers_answers_ = true; }
  ~AnswerSink() = default;

  void Lend(std::string_view bytes, ReleaseFn release, void* opaque) override {
    Append(bytes);
    release(opaque);
  }
  [[nodiscard]] size_t PendingBytes() const override { return 0; }

  std::vector<std::string> Take() {
    OnBeginAnswer();
    return std::move(answers_);
  }

 private:
  void Grow(size_t bytes) override {
    const size_t used = Used();
    buffer_.resize(used + bytes);
    cursor_ = buffer_.data() + used;
    limit_ = buffer_.data() + buffer_.size();
  }
  void OnBeginAnswer() override {
    if (Used() != 0) answers_.emplace_back(buffer_.data(), Used());
    cursor_ = buffer_.data();
  }
  [[nodiscard]] size_t Used() const {
    return cursor_ == nullptr ? 0 : static_cast<size_t>(cursor_ - buffer_.data());
  }

  std::vector<char> buffer_;
  std::vector<std::string> answers_;
};

std::vector<std::string> Answers(Conversation& client, std::string_view input) {
  AnswerSink sink;
  client.service->OnTurnStart();
  for (StreamStep step{.next = StreamStep::Next::kYield};
       step.next == StreamStep::Next::kYield || step.next == StreamStep::Next::kBlocked;
       input.remove_prefix(step.consumed_bytes)) {
    step = client.handler->OnInput(input, 20, sink);
  }
  client.service->OnTurnEnd();
  return sink.Take();
}

TEST_CASE("each request has an answer of its own, and so has each value of a retrieval") {
  using Expected = std::vector<std::string>;
  Conversation client;
  client.Say("ms a 1\r\nA\r\nms b 1\r\nB\r\n");
  CHECK(Answers(client, "version\r\nmg a v\r\nbad\r\nset c 0 0 1\r\nC\r\n") ==
        Expected{"VERSION 1.6.45\r\n", "VA 1\r\nA\r\n", "ERROR\r\n", "STORED\r\n"});
  CHECK(Answers(client, "get a b\r\nget x\r\nget x a x\r\n") ==
        Expected{"VALUE a 0 1\r\nA\r\n", "VALUE b 0 1\r\nB\r\nEND\r\n", "END\r\n",
                 "VALUE a 0 1\r\nA\r\n", "END\r\n"});
  CHECK(Answers(client, "set d 0 0 x\r\nset e x 0 1\r\ne\r\nms f 1 y\r\nf\r\nmn\r\nmg q\r\n") ==
        Expected{"CLIENT_ERROR bad command line format\r\n",
                 "CLIENT_ERROR bad command line format\r\n", "CLIENT_ERROR invalid flag\r\n",
                 "MN\r\n", "EN\r\n"});
}

TEST_CASE("a retrieval of more keys than are looked up at once has one end") {
  Conversation client;
  client.Say("ms a 1\r\nA\r\n");
  std::string request = "get a";
  for (int i = 0; i < 100; ++i) request += " x";
  CHECK(Answers(client, request + "\r\n") ==
        std::vector<std::string>{"VALUE a 0 1\r\nA\r\n", "END\r\n"});
}

// --- counters ----------------------------------------------------------------------------------

TEST_CASE("only me counts as a meta command") {
  Conversation client;
  client.Say("ms k 2\r\nab\r\nmg k\r\nma k\r\nmd k\r\nmn\r\n");
  CHECK(client.Stats()["cmd_meta"] == "0");
  client.Say("me k\r\nme k\r\nme\r\n");
  CHECK(client.Stats()["cmd_meta"] == "2");
}

// --- options -----------------------------------------------------------------------------------

TEST_CASE("without CAS uniques they are zero and compare with nothing") {
  Conversation client({.use_cas = false});
  CHECK(client.Say("ms k 2 c\r\nab\r\n") == "HD c0\r\n");
  CHECK(client.Say("mg k c\r\n") == "HD c0\r\n");
  CHECK(client.Say("ms k 2 C0\r\nab\r\n") == "EX\r\n");
}

}  // namespace
}  // namespace larder::server
