// The front end against real sockets: what one connection may expect.
#include "server/net/front_end.h"

#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "tests/server/net/front_end_fixture.h"

namespace larder::server {
namespace {

TEST_CASE_METHOD(FrontEndFixture, "every request is answered, in order") {
  Start();
  TestClient client = Connect();
  CHECK(client.Ask("hello\n") == "hello\n");
  CHECK(client.Ask("one\ntwo\nthree\n") == "one\ntwo\nthree\n");
  CHECK(stats.out_of_turn == 0);
}

TEST_CASE_METHOD(FrontEndFixture, "a request may arrive cut at any point") {
  Start();
  TestClient client = Connect();
  const std::string text = "first line\nsecond\nthird one\n";
  const int on = 1;
  ::setsockopt(client.Fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  for (size_t cut = 1; cut < text.size(); ++cut) {
    REQUIRE(client.Send(text.substr(0, cut)));
    const size_t complete_bytes = text.rfind('\n', cut - 1) + 1;
    REQUIRE(client.Read(complete_bytes) == text.substr(0, complete_bytes));
    REQUIRE(client.Send(text.substr(cut)));
    REQUIRE(client.Read(text.size() - complete_bytes) == text.substr(complete_bytes));
  }
}

TEST_CASE_METHOD(FrontEndFixture, "a line longer than the shared buffer is handled whole") {
  Start();
  TestClient client = Connect();
  const std::string line = std::string(300'000, 'x') + '\n';
  REQUIRE(client.Send(line));
  CHECK(client.Read(line.size()) == line);
  CHECK(Eventually([&] { return front_end->Totals().held_input_bytes == 0; }));
}

TEST_CASE_METHOD(FrontEndFixture, "after the client's last byte all is answered, then closed") {
  Start();
  TestClient client = Connect();
  std::string pipeline;
  for (int i = 0; i < 500; ++i) pipeline += "request " + std::to_string(i) + '\n';
  REQUIRE(client.Send(pipeline + "half a request"));
  client.FinishSending();
  CHECK(client.ReadToEnd() == pipeline);
  CHECK(ClientsBecome(0));

  TestClient slow = Connect(/*receive_buffer_bytes=*/8192);
  REQUIRE(slow.Send("lend 6000000\nfill 200000\nlast\n"));
  slow.FinishSending();
  CHECK(RepliesWait());
  CHECK(slow.ReadToEnd().size() == 6'200'005);
}

TEST_CASE_METHOD(FrontEndFixture, "a handler that closes has its replies sent first") {
  stats.handlers_never_block = true;  // so that it closes while replies wait
  Start();
  // More than the socket's own buffers hold.
  TestClient client = Connect(/*receive_buffer_bytes=*/8192);
  constexpr size_t kBytes = 12'000'000;
  REQUIRE(client.Send("fill 12000000\nquit\nnever answered\n"));
  CHECK(RepliesWait());
  CHECK(client.Read(kBytes) == std::string(kBytes, 'f'));
  CHECK(client.SeesEnd());
  CHECK(ClientsBecome(0));
}

TEST_CASE_METHOD(FrontEndFixture, "a handler that aborts is cut off at once") {
  Start();
  TestClient client = Connect();
  REQUIRE(client.Send("lend 20000\nabort\n"));
  CHECK(client.ReadToEnd().empty());
  CHECK(Eventually([&] { return stats.released == 1; }));
}

TEST_CASE_METHOD(FrontEndFixture,
                 "a value goes straight to its place, and what follows it is kept") {
  Start();
  TestClient client = Connect();
  const std::string value(500'000, 'v');
  REQUIRE(client.Send("take 500000\n" + value + "next\nand half"));
  CHECK(client.Read(12) == "took 500000 ");
  const std::string rest = client.Read(1);
  std::string direct_bytes = rest;
  while (!direct_bytes.ends_with('\n')) direct_bytes += client.Read(1);
  // All but what came along with the request line.
  CHECK(std::stoul(direct_bytes) >= 500'000 - ReadBuffer::kBytes);
  CHECK(client.Read(5) == "next\n");
  CHECK(client.Ask(" of one\n") == "and half");
}

TEST_CASE_METHOD(FrontEndFixture, "values that arrive in any pieces are whole") {
  Start();
  TestClient client = Connect();
  for (const size_t value_bytes : {1U, 2U, 3U, 100U, 4095U, 70'000U}) {
    for (const size_t first_bytes : {size_t{0}, size_t{1}, value_bytes / 2, value_bytes - 1}) {
      REQUIRE(client.Send("take " + std::to_string(value_bytes) + '\n' +
                          std::string(first_bytes, 'v')));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      REQUIRE(client.Send(std::string(value_bytes - first_bytes, 'v') + "end\n"));
      std::string answer;
      while (!answer.ends_with("end\n")) {
        answer += client.Read(1);
        REQUIRE_FALSE(answer.empty());
      }
      REQUIRE(answer.starts_with("took " + std::to_string(value_bytes)));
    }
  }
}

TEST_CASE_METHOD(FrontEndFixture, "lent replies arrive whole and are given back once") {
  Start();
  TestClient client = Connect(/*receive_buffer_bytes=*/4096);
  std::string request;
  std::string expected;
  for (int i = 1; i <= 20; ++i) {
    const int bytes = i * 20'000;
    request += "lend " + std::to_string(bytes) + "\nmark\n";
    expected += std::string(static_cast<size_t>(bytes), 'l') + "mark\n";
  }
  REQUIRE(client.Send(request));
  CHECK(client.Read(expected.size()) == expected);
  CHECK(Eventually([&] { return stats.released == 20; }));
  CHECK(stats.lent == 20);
}

TEST_CASE_METHOD(FrontEndFixture, "a reset in the middle of a large reply gives all loans back") {
  Start();
  TestClient bystander = Connect();
  for (int round = 0; round < 20; ++round) {
    TestClient client = Connect(/*receive_buffer_bytes=*/4096);
    REQUIRE(client.Send("lend 8000000\nfill 100000\nlend 1000000\n"));
    REQUIRE(client.Read(1000).size() == 1000);
    client.Reset();
    REQUIRE(bystander.Ask("still here\n") == "still here\n");
  }
  CHECK(ClientsBecome(1));
  CHECK(stats.lent == stats.released);
  CHECK(front_end->Totals().held_replies_bytes == 0);
}

TEST_CASE_METHOD(FrontEndFixture, "unix sockets serve as TCP does") {
  const std::string path =
      std::filesystem::temp_directory_path() / ("larder_net_" + std::to_string(::getpid()));
  config.tcp_addresses.clear();
  config.unix_path = path;
  Start();
  TestClient client = TestClient::Unix(path);
  REQUIRE(client.IsConnected());
  CHECK(client.Ask("hello\n") == "hello\n");
  Stop();
  ::unlink(path.c_str());
}

TEST_CASE_METHOD(FrontEndFixture, "a connection takes the protocols of its listener") {
  config.tcp_addresses = {{"127.0.0.1", 0, false, Binding::kAuto},
                          {"127.0.0.2", 0, false, Binding::kText},
                          {"127.0.0.3", 0, false, Binding::kBinary}};
  config.unix_path =
      std::filesystem::temp_directory_path() / ("larder_binding_" + std::to_string(::getpid()));
  config.unix_protocols = Binding::kText;
  Start();
  const auto ask = [&](const std::string& host, const std::string& answer) {
    const uint16_t port = front_end->Listeners().back().port;
    TestClient client = TestClient::Tcp(port, /*receive_buffer_bytes=*/0, host.c_str());
    REQUIRE(client.Send("protocols\n"));
    CHECK(client.Read(answer.size()) == answer);
  };
  ask("127.0.0.1", "auto");
  ask("127.0.0.2", "text");
  ask("127.0.0.3", "binary");
  TestClient local = TestClient::Unix(config.unix_path);
  REQUIRE(local.Send("protocols\n"));
  CHECK(local.Read(4) == "text");
  Stop();
  ::unlink(config.unix_path.c_str());
}

TEST_CASE_METHOD(FrontEndFixture, "clients are spread over all workers, and each serves its own") {
  config.worker_count = 3;
  Start();
  std::vector<TestClient> clients;
  clients.reserve(12);
  for (int i = 0; i < 12; ++i) clients.push_back(Connect());
  for (TestClient& client : clients) CHECK(client.Ask("who\n") == "who\n");
  CHECK(stats.handlers == 12);
  CHECK(front_end->Totals().clients == 12);
  Stop();
  CHECK(stats.handlers == 0);
  CHECK(stats.open_turns == 0);
  CHECK(stats.out_of_turn == 0);
  for (TestClient& client : clients) CHECK(client.SeesEnd());
}

TEST_CASE_METHOD(FrontEndFixture, "a worker that waits is not in a turn") {
  Start();
  TestClient client = Connect();
  CHECK(client.Ask("x\n") == "x\n");
  CHECK(Eventually([&] { return stats.open_turns == 0; }));
  const int turns = stats.turns;
  CHECK(client.Ask("y\n") == "y\n");
  CHECK(Eventually([&] { return stats.open_turns == 0; }));
  CHECK(stats.turns > turns);
}

TEST_CASE("two front ends in one process do not know of each other") {
  FrontEndFixture first;
  FrontEndFixture second;
  first.Start();
  second.Start();
  TestClient client = first.Connect();
  CHECK(second.Connect().Ask("x\n") == "x\n");
  second.Stop();
  CHECK(client.Ask("y\n") == "y\n");
  CHECK(first.front_end->Totals().accepted == 1);
}

TEST_CASE_METHOD(FrontEndFixture, "received and sent bytes are counted") {
  Start();
  TestClient client = Connect();
  CHECK(client.Ask("12345\n") == "12345\n");
  CHECK(client.Ask("789\n") == "789\n");
  CHECK(Eventually([&] { return front_end->Totals().bytes_written == 10; }));
  CHECK(front_end->Totals().bytes_read == 10);
  CHECK(front_end->Totals().accepted == 1);
}

}  // namespace
}  // namespace larder::server
