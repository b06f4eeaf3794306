#include "server/net/reply_queue.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace larder::server {
namespace {

// A socket that takes as much as the test allows.
class FakeTransport final : public Transport {
 public:
  IoResult Receive(std::span<const iovec>) override { return {IoResult::Status::kEnd, 0}; }
  IoResult Send(std::span<const iovec> pieces) override {
    ++send_count;
    if (is_broken) return {IoResult::Status::kBroken, 0};
    if (room_bytes == 0) return {IoResult::Status::kWouldBlock, 0};
    size_t sent_bytes = 0;
    for (const iovec& piece : pieces) {
      const size_t bytes = std::min(piece.iov_len, room_bytes - sent_bytes);
      taken.append(static_cast<const char*>(piece.iov_base), bytes);
      sent_bytes += bytes;
    }
    room_bytes -= sent_bytes;
    return {IoResult::Status::kDone, sent_bytes};
  }
  PeerState Peer() const override { return PeerState::kOpen; }
  SocketAddress PeerAddress() const override { return {}; }
  int Fd() const override { return -1; }

  size_t room_bytes = SIZE_MAX;
  bool is_broken = false;
  int send_count = 0;
  std::string taken;
};

// A value that counts how often it was given back.
struct Loan {
  std::string text;
  int release_count = 0;

  void LendTo(ReplyQueue& queue) {
    queue.Lend(
        text, [](void* self) { ++static_cast<Loan*>(self)->release_count; }, this);
  }
};

struct Fixture {
  void Append(std::string_view text) {
    queue.Attach(backlog);
    queue.Append(text);
  }
  IoResult Flush() { return queue.Flush(transport); }

  BufferGauge gauge;
  FakeTransport transport;
  std::unique_ptr<ReplyBacklog> backlog;
  ReplyQueue queue{gauge};
};

TEST_CASE_METHOD(Fixture, "the replies of a turn leave with one send and leave nothing behind") {
  Append("one ");
  queue.Append("two ");
  queue.Append("three");
  CHECK(queue.PendingBytes() == 13);
  CHECK(Flush().bytes == 13);
  CHECK(transport.taken == "one two three");
  CHECK(transport.send_count == 1);
  CHECK(backlog == nullptr);
  CHECK(queue.PendingBytes() == 0);
}

TEST_CASE_METHOD(Fixture, "a turn without replies sends nothing") {
  queue.Attach(backlog);
  CHECK(Flush().status == IoResult::Status::kDone);
  CHECK(transport.send_count == 0);
}

TEST_CASE_METHOD(Fixture, "replies keep their order, wherever the socket stops taking them") {
  const std::string whole = "copied-1 " + std::string(300, 'L') + " copied-2 " +
                            std::string(200, 'M') + std::string(10, 'N');
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    transport = FakeTransport();
    transport.room_bytes = cut;
    Loan first{std::string(300, 'L')};
    Loan second{std::string(200, 'M')};
    Append("copied-1 ");
    first.LendTo(queue);
    queue.Append(" copied-2 ");
    second.LendTo(queue);
    queue.Append(std::string(10, 'N'));
    REQUIRE(Flush().bytes == cut);
    // Whatever waits goes before what comes.
    Append("later");
    REQUIRE(queue.PendingBytes() == whole.size() - cut + 5);
    queue.Keep();
    transport.room_bytes = SIZE_MAX;
    REQUIRE(backlog->Send(transport).status == IoResult::Status::kDone);
    REQUIRE(transport.taken == whole + "later");
    REQUIRE(first.release_count == 1);
    REQUIRE(second.release_count == 1);
    backlog.reset();
    REQUIRE(gauge.bytes.Get() == 0);
    REQUIRE(gauge.count.Get() == 0);
  }
}

TEST_CASE_METHOD(Fixture, "a loan comes back once when the socket breaks or the turn is dropped") {
  Loan loan{std::string(100, 'x')};
  queue.Attach(backlog);
  loan.LendTo(queue);
  transport.is_broken = true;
  CHECK(Flush().status == IoResult::Status::kBroken);
  backlog.reset();
  CHECK(loan.release_count == 1);

  queue.Attach(backlog);
  loan.LendTo(queue);
  queue.Drop();
  CHECK(loan.release_count == 2);
  CHECK(backlog == nullptr);
}

TEST_CASE_METHOD(Fixture, "an empty loan comes back at once") {
  Loan loan;
  queue.Attach(backlog);
  loan.LendTo(queue);
  CHECK(loan.release_count == 1);
  CHECK(queue.PendingBytes() == 0);
}

TEST_CASE_METHOD(Fixture, "replies larger than the shared buffer are sent whole") {
  std::string expected;
  queue.Attach(backlog);
  for (int i = 0; i < 50; ++i) {
    const std::string reply(static_cast<size_t>(i) * 400, static_cast<char>('a' + i % 26));
    queue.Append(reply);
    expected += reply;
  }
  CHECK(queue.PendingBytes() == expected.size());
  Flush();
  CHECK(transport.taken == expected);
}

TEST_CASE_METHOD(Fixture, "a very large reply is sent in parts, so that others have their turn") {
  Loan loan{std::string(3 * kSendBytesMax / 2, 'x')};
  queue.Attach(backlog);
  loan.LendTo(queue);
  CHECK(Flush().bytes == kSendBytesMax);
  CHECK(loan.release_count == 0);
  CHECK(backlog->Send(transport).bytes == kSendBytesMax / 2);
  CHECK(loan.release_count == 1);
}

TEST_CASE_METHOD(Fixture, "more pieces than one system call takes are sent with several") {
  std::vector<Loan> loans(500, Loan{"12345678"});
  queue.Attach(backlog);
  for (Loan& loan : loans) loan.LendTo(queue);
  Flush();
  CHECK(transport.taken.size() == 500 * 8);
  CHECK(transport.send_count > 1);
  CHECK(std::all_of(loans.begin(), loans.end(),
                    [](const Loan& loan) { return loan.release_count == 1; }));
  CHECK(backlog == nullptr);
}

TEST_CASE_METHOD(Fixture, "small replies to a slow reader share memory") {
  transport.room_bytes = 0;
  for (int i = 0; i < 1000; ++i) {
    Append("0123456789");
    Flush();
  }
  CHECK(backlog->PendingBytes() == 10'000);
  CHECK(gauge.count.Get() == 1);
  CHECK(gauge.bytes.Get() == 10'000);
  transport.room_bytes = SIZE_MAX;
  transport.send_count = 0;
  CHECK(backlog->Send(transport).bytes == 10'000);
  CHECK(transport.send_count == 1);
  CHECK(transport.taken.substr(9'990) == "0123456789");
}

TEST_CASE_METHOD(Fixture, "a backlog that was emptied takes replies again") {
  backlog = std::make_unique<ReplyBacklog>(gauge);
  for (int round = 0; round < 3; ++round) {
    backlog->Copy("small");
    CHECK(backlog->Send(transport).bytes == 5);
    CHECK(backlog->PendingBytes() == 0);
  }
  CHECK(transport.taken == "smallsmallsmall");
}

TEST_CASE_METHOD(Fixture, "a backlog that is refilled as fast as it drains stays in order") {
  std::string expected;
  for (int i = 0; i < 5'000; ++i) {
    const std::string reply = std::to_string(i) + ' ';
    Append(reply);
    expected += reply;
    transport.room_bytes = i < 10 ? 0 : reply.size();
    Flush();
  }
  transport.room_bytes = SIZE_MAX;
  REQUIRE(backlog != nullptr);
  CHECK(backlog->Send(transport).status == IoResult::Status::kDone);
  CHECK(transport.taken == expected);
}

}  // namespace
}  // namespace larder::server
