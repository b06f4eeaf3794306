#include "tests/bench/replay_trace.h"

#include <catch2/catch.hpp>
#include <sstream>

namespace larder::bench {
namespace {

struct Read {
  std::optional<Replay> replay;
  std::string error;
};

Read ReadText(const std::string& text, uint64_t request_count_max = 0) {
  std::istringstream lines(text);
  Read read;
  read.replay = ReadTrace(lines, request_count_max, &read.error);
  return read;
}

TEST_CASE("Each line of a trace is a request, and equal keys are one item") {
  const Read read = ReadText("a,10\nlonger key,20\na,30\n");
  REQUIRE(read.replay);
  const Replay& replay = *read.replay;
  REQUIRE(replay.requests.size() == 3);
  CHECK(replay.item_count == 2);
  CHECK(replay.requests[0].item == replay.requests[2].item);
  CHECK(replay.requests[0].item != replay.requests[1].item);
  CHECK(replay.requests[1].value_bytes == 20);
  CHECK(replay.requests[2].value_bytes == 30);
  CHECK(replay.counted_from == 1);
  CHECK(replay.requests_per_second == 0);
}

TEST_CASE("A key that a server takes is sent as it is, any other as a made one") {
  const std::string long_key(251, 'k');
  const Read read = ReadText("plain\xC3\xA9,1\nwith space,1\n" + long_key + ",1\n");
  REQUIRE(read.replay);
  CHECK(read.replay->keys == std::vector<std::string>{"plain\xC3\xA9", "benchmark0000000000000001",
                                                      "benchmark0000000000000002"});
}

TEST_CASE("A heading, empty lines and ends of lines from elsewhere are passed over") {
  const Read read = ReadText("key,value_bytes,ttl_s\r\na,1,\r\n\r\nb,2\r\n");
  REQUIRE(read.replay);
  CHECK(read.replay->keys == std::vector<std::string>{"a", "b"});
}

TEST_CASE("A time to live gives the replay its clock") {
  const Read read = ReadText("a,1,0\nb,2,60\n");
  REQUIRE(read.replay);
  CHECK(read.replay->requests[0].ttl_s == 0);
  CHECK(read.replay->requests[1].ttl_s == 60);
  CHECK(read.replay->requests_per_second == kTraceRequestsPerSecond);
}

TEST_CASE("A value is cut at what both servers store") {
  CHECK(ReadText("a,99999999999\n").replay->requests[0].value_bytes == 1'000'000);
}

TEST_CASE("No more requests are read than are asked for") {
  CHECK(ReadText("a,1\nb,1\nc,1\n", 2).replay->requests.size() == 2);
}

TEST_CASE("A line that is none of a trace is named by its number") {
  for (const char* line : {"a", "a,", "a,x", ",1", "a,1,x", "a,1,2,3", "a,-1"}) {
    CAPTURE(line);
    const Read read = ReadText(std::string("first,1\n") + line + "\n");
    CHECK_FALSE(read.replay);
    CHECK_THAT(read.error, Catch::StartsWith("line 2: "));
  }
}

TEST_CASE("A trace without requests is refused") {
  CHECK_FALSE(ReadText("").replay);
  CHECK_FALSE(ReadText("key,value_bytes\n").replay);
}

}  // namespace
}  // namespace larder::bench
