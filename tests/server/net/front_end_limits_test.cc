// The front end against real sockets: what keeps one client from harming the others.
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include "tests/server/net/front_end_fixture.h"

namespace larder::server {
namespace {

// Lowers the number of files this process may open, for as long as it lives.
class FileLimit {
 public:
  explicit FileLimit(rlim_t soft) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit lowered = before_;
    lowered.rlim_cur = soft;
    ::setrlimit(RLIMIT_NOFILE, &lowered);
  }
  ~FileLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_CASE_METHOD(FrontEndFixture, "the files of all threads and of all addresses are foreseen") {
  const auto open_files = [] {
    const std::filesystem::directory_iterator files("/proc/self/fd");
    return static_cast<uint64_t>(std::distance(begin(files), end(files)));
  };
  config.clients_max = 0;
  config.worker_count = 12;
  for (const char* host : {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"}) {
    config.tcp_addresses.push_back({host, 0});
    config.udp_addresses.push_back({host, 0});
  }
  const uint64_t before = open_files();
  Start();
  const uint64_t opened = open_files() - before;
  CHECK(opened > 12 * 4);  // a socket of each worker at each address at least
  CHECK(opened <= FrontEnd::FdCount(config));
  config.udp_addresses.clear();
  CHECK(opened > FrontEnd::FdCount(config));
}

TEST_CASE_METHOD(FrontEndFixture, "a client above the limit is told so and disconnected") {
  config.clients_max = 2;
  Start();
  TestClient first = Connect();
  TestClient second = Connect();
  CHECK(second.Ask("x\n") == "x\n");
  CHECK(Connect().ReadToEnd() == "ERROR Too many open connections\r\n");
  CHECK(front_end->Totals().rejected == 1);
  CHECK(front_end->Totals().accepted == 2);

  first.Close();
  REQUIRE(ClientsBecome(1));
  TestClient third = Connect();
  CHECK(third.Ask("y\n") == "y\n");
}

TEST_CASE_METHOD(FrontEndFixture, "without maxconns_fast a client above the limit waits for room") {
  config.clients_max = 2;
  config.maxconns_fast = false;
  Start();
  std::vector<TestClient> served;
  for (int i = 0; i < 2; ++i) {
    served.push_back(Connect());
    REQUIRE(served.back().Ask("x\n") == "x\n");
  }
  TestClient third = TestClient::Tcp(front_end->Listeners().front().port);
  REQUIRE(third.IsConnected());  // by the system, into the backlog
  REQUIRE(third.Send("late\n"));
  REQUIRE(Eventually([&] { return front_end->Totals().is_paused; }));
  CHECK_FALSE(third.HasInput(std::chrono::milliseconds(100)));
  CHECK(front_end->Totals().pauses == 1);  // one pause, however often it looks for room
  CHECK(front_end->Totals().accepted == 2);
  CHECK(served.front().Ask("meanwhile\n") == "meanwhile\n");

  served.pop_back();
  CHECK(third.Read(5) == "late\n");
  CHECK(front_end->Totals().rejected == 0);
  CHECK(front_end->Totals().paused_us >= 90'000);
  // Full once more, and the backlog is as deep as before.
  third.Close();
  served.clear();
  CHECK(Eventually([&] { return !front_end->Totals().is_paused; }));
  CHECK(Connect().Ask("y\n") == "y\n");
}

TEST_CASE_METHOD(FrontEndFixture, "parts of requests share a bound, and who needs more is closed") {
  config.buffer_bytes_max = 100'000;
  Start();
  std::vector<TestClient> clients;
  for (int i = 0; i < 9; ++i) {
    clients.push_back(Connect());
    REQUIRE(clients.back().Send(std::string(10'000, 'x')));
  }
  REQUIRE(Eventually([&] { return front_end->Totals().held_input_bytes >= 90'000; }));
  TestClient greedy = Connect();
  REQUIRE(greedy.Send("answered first\n" + std::string(20'000, 'x')));
  CHECK(greedy.Read(15) == "answered first\n");
  CHECK(greedy.ReadToEnd() == "SERVER_ERROR out of memory reading request\r\n");
  CHECK(front_end->Totals().input_refusals == 1);
  // Those within the bound are served.
  REQUIRE(clients.front().Send("\n"));
  CHECK(clients.front().Read(10'001).size() == 10'001);
  CHECK(Connect().Ask("still here\n") == "still here\n");
}

TEST_CASE_METHOD(FrontEndFixture, "replies that wait share a bound, and who needs more is closed") {
  stats.handlers_never_block = true;
  config.buffer_bytes_max = 2'000'000;
  Start();
  TestClient greedy = Connect(/*receive_buffer_bytes=*/4096);
  REQUIRE(greedy.Send("lend 20000000\n"));
  CHECK(Eventually([&] { return front_end->Totals().reply_refusals == 1; }));
  CHECK(ClientsBecome(0));
  CHECK(front_end->Totals().held_replies_bytes == 0);
  CHECK(stats.lent == stats.released);
  CHECK(Connect().Ask("still here\n") == "still here\n");
}

TEST_CASE_METHOD(FrontEndFixture, "a client that sends and never reads costs a bounded memory") {
  Start();
  TestClient greedy = Connect(/*receive_buffer_bytes=*/4096);
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += "fill 10000\n";
  // Sends until the server has not read for a while: it has stopped.
  size_t sent_bytes = 0;
  for (int quiet = 0; quiet < 100;) {
    const size_t bytes = greedy.SendSome(requests);
    sent_bytes += bytes;
    quiet = bytes == 0 ? quiet + 1 : 0;
    if (bytes == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  const FrontEndTotals totals = front_end->Totals();
  CHECK(totals.held_replies_bytes > 0);
  CHECK(totals.held_replies_bytes < 2 * Connection::kPendingBytesMax);
  CHECK(stats.pending_bytes_peak < 2 * Connection::kPendingBytesMax);
  CHECK(totals.bytes_read < sent_bytes);
  CHECK(totals.held_input_bytes < 2 * ReadBuffer::kBytes);
  // It waits for the socket instead of asking again and again.
  const int turns = stats.turns;
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(stats.turns - turns < 10);
  TestClient other = Connect();
  CHECK(other.Ask("still here\n") == "still here\n");
  greedy.Reset();
  CHECK(ClientsBecome(1));
}

TEST_CASE_METHOD(FrontEndFixture, "reading stops even for a handler that never stops itself") {
  stats.handlers_never_block = true;
  Start();
  TestClient greedy = Connect(/*receive_buffer_bytes=*/4096);
  const std::string request = "fill 100000\n";
  // One request at a time, until the replies that wait are too many.
  uint64_t request_count = 0;
  FrontEndTotals totals;
  while (totals.held_replies_bytes <= Connection::kPendingBytesMax && request_count < 1000) {
    REQUIRE(greedy.SendSome(request) == request.size());
    ++request_count;
    REQUIRE(Eventually([&] {
      totals = front_end->Totals();
      return totals.bytes_read == request_count * request.size() ||
             totals.held_replies_bytes > Connection::kPendingBytesMax;
    }));
  }
  CHECK(totals.held_replies_bytes > Connection::kPendingBytesMax);
  CHECK(totals.held_replies_bytes <= Connection::kPendingBytesMax + 100'000);
  // What is sent now is left in the socket...
  REQUIRE(greedy.Send(request));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(front_end->Totals().bytes_read < (request_count + 1) * request.size());
  // ...until the client reads at last.
  const size_t reply_bytes = (request_count + 1) * 100'000;
  CHECK(greedy.Read(reply_bytes).size() == reply_bytes);
}

TEST_CASE_METHOD(FrontEndFixture, "a client that reads late gets every byte") {
  Start();
  TestClient client = Connect(/*receive_buffer_bytes=*/4096);
  constexpr int kRequests = 3000;
  std::string requests;
  for (int i = 0; i < kRequests; ++i) requests += i % 3 == 0 ? "lend 20000\n" : "fill 1000\n";
  std::thread sender([&] { client.Send(requests + "quit\n"); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const std::string answer = client.ReadToEnd();
  sender.join();
  CHECK(answer.size() == kRequests / 3 * (20'000 + 1000 + 1000));
  CHECK(Eventually([&] { return stats.released == kRequests / 3; }));
}

TEST_CASE_METHOD(FrontEndFixture, "a deep pipeline yields to others after its share of requests") {
  config.requests_per_turn_max = 10;
  Start();
  TestClient deep = Connect();
  TestClient other = Connect();
  std::string pipeline;
  for (int i = 0; i < 5000; ++i) pipeline += "deep\n";
  REQUIRE(deep.Send(pipeline));
  CHECK(other.Ask("x\n") == "x\n");
  CHECK(deep.Read(pipeline.size()) == pipeline);
  // However the pipeline was cut on its way, nearly every tenth request ended a turn.
  CHECK(front_end->Totals().yields >= 400);
  CHECK(front_end->Totals().yields < 500);
}

TEST_CASE_METHOD(FrontEndFixture, "within one worker no deep pipeline holds up the others") {
  config.requests_per_turn_max = 10;
  Start();
  // Several clients keep the only worker busy without end.
  std::atomic<bool> is_over{false};
  std::vector<std::thread> crowd;
  crowd.reserve(3);
  for (int i = 0; i < 3; ++i) {
    crowd.emplace_back([&, client = std::make_shared<TestClient>(Connect())] {
      std::string pipeline;
      for (int k = 0; k < 2000; ++k) pipeline += "fill 100\n";
      while (!is_over) {
        if (!client->Send(pipeline) || client->Read(200'000).size() != 200'000) break;
      }
    });
  }
  TestClient modest = Connect();
  for (int i = 0; i < 50; ++i) REQUIRE(modest.Ask("me too\n") == "me too\n");
  // The crowd's threads may start late; they go on until a pipeline of theirs was interrupted.
  CHECK(Eventually([&] { return front_end->Totals().yields > 0; }));
  is_over = true;
  for (std::thread& thread : crowd) thread.join();
}

TEST_CASE_METHOD(FrontEndFixture, "accepting survives that no file is left, without spinning") {
  Start();
  TestClient before = Connect();
  REQUIRE(before.Ask("x\n") == "x\n");
  const int some_free_fd = ::dup(before.Fd());
  ::close(some_free_fd);
  std::vector<UniqueFd> fillers;
  std::vector<TestClient> waiting;
  std::string answer_meanwhile;
  FrontEndTotals totals;
  {
    // Nothing is checked in here, because the undefined behaviour sanitizer needs files for its own
    // checks of the checks.
    const FileLimit limit(static_cast<rlim_t>(some_free_fd) + 10);
    constexpr int kAttemptsMax = 10;  // the C library opens a file now and then, and leaves a gap
    for (int attempt = 0; attempt < kAttemptsMax && totals.pauses < 3; ++attempt) {
      while (UniqueFd filler{::dup(before.Fd())}) fillers.push_back(std::move(filler));
      fillers.pop_back();  // room for the client's own socket, none for the server's
      waiting.push_back(TestClient::Tcp(front_end->Listeners().front().port));
      Eventually([&] {
        totals = front_end->Totals();
        return totals.pauses >= 3 || totals.accepted > waiting.size();
      });
    }
    answer_meanwhile = before.Ask("served meanwhile\n");
  }
  fillers.clear();
  CHECK(totals.pauses >= 3);
  CHECK(totals.accepted == waiting.size());  // `before`, and all of these but the last
  CHECK(answer_meanwhile == "served meanwhile\n");
  // All pauses but the one under way took at least their 10 ms; a spinning thread's would not.
  CHECK(totals.paused_us >= (totals.pauses - 1) * 9'000);
  // The client that had to wait is served in the end.
  REQUIRE(waiting.back().IsConnected());
  CHECK(waiting.back().Ask("late\n") == "late\n");
  CHECK(Eventually([&] { return !front_end->Totals().is_paused; }));
}

TEST_CASE_METHOD(FrontEndFixture, "ten thousand clients come and go") {
  config.worker_count = 2;
  Start();
  TestClient bystander = Connect();
  constexpr int kChunk = 250;
  for (int round = 0; round < 40; ++round) {
    std::vector<TestClient> chunk;
    chunk.reserve(kChunk);
    for (int i = 0; i < kChunk; ++i) chunk.push_back(Connect());
    for (int i = 0; i < kChunk; i += 3) chunk[static_cast<size_t>(i)].Send("half a request");
    for (int i = 0; i < kChunk; i += 5) chunk[static_cast<size_t>(i)].Reset();
    REQUIRE(bystander.Ask("still here\n") == "still here\n");
  }
  CHECK(ClientsBecome(1));
  const FrontEndTotals totals = front_end->Totals();
  CHECK(totals.accepted == 10'001);
  CHECK(totals.held_input_bytes == 0);
  CHECK(totals.held_replies_bytes == 0);
  CHECK(stats.handlers == 1);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// What malloc takes for an object.
size_t HeapBytes(size_t object_bytes) { return (object_bytes + 8 + 15) / 16 * 16; }

TEST_CASE_METHOD(FrontEndFixture, "an idle connection takes at most half a KiB") {
  Start();
  constexpr size_t kClients = 400;
  constexpr size_t kSessionBytesMax = 88;  // asserted where Session is defined
  std::vector<TestClient> clients;
  clients.reserve(kClients);
  TestClient first = Connect();
  REQUIRE(first.Ask("warm up\n") == "warm up\n");
  const size_t before = ::mallinfo2().uordblks;
  for (size_t i = 0; i < kClients; ++i) clients.push_back(Connect());
  for (TestClient& client : clients) REQUIRE(client.Send("busy once\n"));
  for (TestClient& client : clients) REQUIRE(client.Read(10) == "busy once\n");
  const size_t connection_bytes =
      (::mallinfo2().uordblks - before) / kClients - HeapBytes(sizeof(LineHandler));
  INFO("heap of an idle connection without its handler: " << connection_bytes);
  CHECK(connection_bytes + HeapBytes(kSessionBytesMax) <= 512);
}
#endif

}  // namespace
}  // namespace larder::server
