#include "server/net/datagram_replies.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace larder::server {
namespace {

using Answers = std::vector<std::string>;

Answers Complete(const DatagramReplies& replies) {
  Answers answers;
  for (size_t i = 0; i < replies.AnswerCount(); ++i) answers.emplace_back(replies.Answer(i));
  return answers;
}

// Counts how often what it lent came back.
struct Lender {
  void Lend(DatagramReplies& replies) {
    replies.Lend(
        text, [](void* self) { ++static_cast<Lender*>(self)->release_count; }, this);
  }
  std::string text;
  int release_count = 0;
};

TEST_CASE("answers are kept apart, whatever pieces they are written in") {
  DatagramReplies replies;
  replies.BeginAnswer();
  replies.Append("VALUE a\r\n");
  replies.Append("END\r\n");
  replies.BeginAnswer();
  replies.BeginAnswer();  // twice in a row is once
  replies.Append("STORED\r\n");
  CHECK(Complete(replies) == Answers{"VALUE a\r\nEND\r\n"});
  replies.EndAnswer();
  CHECK(Complete(replies) == Answers{"VALUE a\r\nEND\r\n", "STORED\r\n"});
}

TEST_CASE("an answer without a byte is none, but it is known to have begun") {
  DatagramReplies replies;
  CHECK_FALSE(replies.IsAnswerEmpty());
  replies.BeginAnswer();
  CHECK(replies.IsAnswerEmpty());
  replies.EndAnswer();
  CHECK(replies.AnswerCount() == 0);
  CHECK_FALSE(replies.IsAnswerEmpty());
}

TEST_CASE("lent bytes are copied and given back at once") {
  DatagramReplies replies;
  Lender lender{std::string(100'000, 'l')};
  replies.BeginAnswer();
  replies.Append("VALUE ");
  lender.Lend(replies);
  CHECK(lender.release_count == 1);
  replies.EndAnswer();
  CHECK(Complete(replies) == Answers{"VALUE " + lender.text});
}

TEST_CASE("compacting forgets what is complete and keeps what is under way") {
  DatagramReplies replies;
  replies.BeginAnswer();
  replies.Append("first");
  replies.BeginAnswer();
  replies.Append("sec");
  CHECK(replies.PendingBytes() == 8);
  replies.Compact();
  CHECK(replies.AnswerCount() == 0);
  CHECK(replies.PendingBytes() == 0);
  replies.Append("ond");
  CHECK(replies.PendingBytes() == 3);
  replies.EndAnswer();
  CHECK(Complete(replies) == Answers{"second"});
}

TEST_CASE("a dropped answer leaves those before it") {
  DatagramReplies replies;
  replies.BeginAnswer();
  replies.Append("whole");
  replies.BeginAnswer();
  replies.Append("half of");
  replies.DropAnswer();
  replies.EndAnswer();
  CHECK(Complete(replies) == Answers{"whole"});
}

TEST_CASE("an answer above the bound is dropped, and so are all after it") {
  DatagramReplies replies;
  replies.BeginAnswer();
  replies.Append("before");
  replies.BeginAnswer();
  SECTION("lent in one piece") {
    Lender lender{std::string(DatagramReplies::kBytesMax + 1, 'l')};
    lender.Lend(replies);
    CHECK(lender.release_count == 1);
    replies.Append("END\r\n");
  }
  SECTION("copied in many") {
    const std::string piece(10'000, 'c');
    for (int i = 0; i < 1000; ++i) replies.Append(piece);
  }
  replies.BeginAnswer();
  replies.Append("after");
  replies.EndAnswer();
  CHECK(Complete(replies) == Answers{"before"});

  replies.Clear();
  replies.BeginAnswer();
  replies.Append("the next request's");
  replies.EndAnswer();
  CHECK(Complete(replies) == Answers{"the next request's"});
}

TEST_CASE("the largest item of the default settings fits") {
  DatagramReplies replies;
  Lender lender{std::string(1024 * 1024, 'l')};
  replies.BeginAnswer();
  lender.Lend(replies);
  replies.EndAnswer();
  REQUIRE(replies.AnswerCount() == 1);
  CHECK(replies.Answer(0).size() == lender.text.size());
}

}  // namespace
}  // namespace larder::server
