#include "protocol/text_parser.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/limits.h"

namespace larder::protocol {
namespace {

using namespace std::string_literals;

const std::string kLongestKey(250, 'k');
const std::string kTooLongKey(251, 'k');

// For lines that no meta command is on.
ParseResult Parse(std::string_view input, size_t scanned_bytes = 0) {
  MetaArguments meta;
  return ParseTextRequest(input, meta, scanned_bytes);
}

// What a result says, in words that a table of expectations can spell.
std::string Describe(const ParseResult& result) {
  const Request& request = result.request;
  const std::string noreply = request.noreply ? " noreply" : "";
  switch (result.status) {
    case ParseStatus::kNeedMore:
      return "need more";
    case ParseStatus::kClose:
      return "close";
    case ParseStatus::kError: {
      std::string line(StatusLine(result.error));
      line.resize(line.size() - kLineEnd.size());
      const std::string swallow =
          result.swallow_bytes != 0 ? " swallow " + std::to_string(result.swallow_bytes) : "";
      return line + swallow + noreply;
    }
    case ParseStatus::kRequest:
      break;
  }
  std::string text(RecordOf(request.command).word);
  text += " [" + std::string(request.key) + "]";
  if (!request.more_keys.empty()) text += " more[" + std::string(request.more_keys) + "]";
  if (request.client_flags != 0) text += " flags " + std::to_string(request.client_flags);
  if (request.exptime != 0) text += " exptime " + std::to_string(request.exptime);
  if (request.value_bytes != 0) text += " bytes " + std::to_string(request.value_bytes);
  if (request.number != 0) text += " number " + std::to_string(request.number);
  if (request.fault != Status::kNone) text += " fault";
  return text + noreply;
}

struct Row {
  std::string line;
  std::string expected;
};

const std::string kBad = "CLIENT_ERROR bad command line format";
const std::string kBadExptime = "CLIENT_ERROR invalid exptime argument";
const std::string kBadDelta = "CLIENT_ERROR invalid numeric delta argument";

std::vector<Row> LineRows() {
  return {
      {"get a\r\n", "get [a]"},
      {"get a\n", "get [a]"},
      {"get a\r\r\n", "get [a\r]"},
      {"GET a\r\n", "ERROR"},
      {" get a\r\n", "ERROR"},
      {"get\ta\r\n", "ERROR"},
      {"\r\n", kBad},
      {"\n", kBad},
      {"a\r\n", kBad},
      {"mn\n", kBad},
      {"ab\r\n", "ERROR"},
      {"    \r\n", "ERROR"},
      {"foo\r\n", "ERROR"},
      {"foo noreply\r\n", "ERROR noreply"},
      {"noreply\r\n", "ERROR noreply"},
      {"  noreply\r\n", "ERROR noreply"},
      {"foo noreply bar\r\n", "ERROR"},
      {"GET / HTTP/1.1\r\n", "close"},
      {"foo HTTP/\r\n", "close"},
      {"foo HTTP\r\n", "ERROR"},
      {"HTTP/1.1\r\n", "ERROR"},
      {"foo HTTP/1.1 noreply\r\n", "ERROR noreply"},
      {"get / HTTP/1.1\r\n", "get [/] more[ HTTP/1.1]"},
  };
}

std::vector<Row> RetrievalRows() {
  return {
      {"get a b  c \r\n", "get [a] more[ b  c ]"},
      {"get   a\r\n", "get [a]"},
      {"get a noreply\r\n", "get [a] more[ noreply]"},
      {"get noreply\r\n", "get [noreply]"},
      {"get\r\n", kBad},
      {"get  \r\n", kBad},
      {"gets\r\n", kBad},
      {"gets a\r\n", "gets [a]"},
      {"get \t\x01\xff\r\n", "get [\t\x01\xff]"},
      {"get " + kLongestKey + "\r\n", "get [" + kLongestKey + "]"},
      {"get " + kTooLongKey + "\r\n", kBad},
      {"get a " + kTooLongKey + " b\r\n", "get [a] more[ ] fault"},
      {"gets a b " + kTooLongKey + "\r\n", "gets [a] more[ b ] fault"},
      {"gat 5 a\r\n", "gat [a] exptime 5"},
      {"gats -1 a b\r\n", "gats [a] more[ b] exptime -1"},
      {"gat  0   a\r\n", "gat [a]"},
      {"gat\r\n", kBad},
      {"gat 0\r\n", kBad},
      {"gat 0 \r\n", kBad},
      {"gat a\r\n", kBad},
      {"gat a b\r\n", kBadExptime},
      {"gat +1 b\r\n", kBadExptime},
      {"gat 2147483648 b\r\n", kBadExptime},
      {"gats x " + kTooLongKey + "\r\n", kBadExptime},
      {"gat 1 " + kTooLongKey + "\r\n", kBad},
  };
}

std::vector<Row> StorageRows() {
  const std::string fillers = " a b c d e f g h i j k l m n o p q";  // seventeen words
  return {
      {"set k 0 0 5\r\n", "set [k] bytes 5"},
      {"set k 7 60 5 noreply\r\n", "set [k] flags 7 exptime 60 bytes 5 noreply"},
      {"set k 0 0 5 noreply foo\r\n", "set [k] bytes 5"},
      {"set k 0 0 5 foo noreply\r\n", "set [k] bytes 5 noreply"},
      {"add k 0 0 0\r\n", "add [k]"},
      {"replace k 0 0 1\n", "replace [k] bytes 1"},
      {"append k 1 2 3\r\n", "append [k] flags 1 exptime 2 bytes 3"},
      {"prepend k 1 2 3\r\n", "prepend [k] flags 1 exptime 2 bytes 3"},
      {"cas k 0 0 5 9\r\n", "cas [k] bytes 5 number 9"},
      {"cas k 0 0 5 9 noreply\r\n", "cas [k] bytes 5 number 9 noreply"},
      {"cas k 0 0 5\r\n", kBad + " swallow 7"},
      {"cas k 0 0 5 noreply\r\n", kBad + " swallow 7 noreply"},
      {"cas k 0 0 5 x\r\n", kBad + " swallow 7"},
      {"cas k 0 0 5 -1\r\n", kBad + " swallow 7"},
      {"set k 0 0\r\n", kBad},
      {"set k 0 noreply\r\n", kBad},
      {"set k 0 0 noreply\r\n", kBad},
      {"set k 0 0 x\r\n", kBad},
      {"set k 0 0 x noreply\r\n", kBad},
      {"set k 0 0 -1\r\n", kBad},
      {"set k 0 0 -1 noreply\r\n", kBad},
      {"set k 0 0 +1\r\n", kBad},
      {"set k 0 0 -0\r\n", "set [k]"},
      {"set k 0 0 2147483645\r\n", "set [k] bytes 2147483645"},
      {"set k 0 0 2147483646\r\n", kBad},
      {"set k 0 0 2147483648\r\n", kBad},
      {"set k 0 0 00000000005\r\n", "set [k] bytes 5"},
      {"set k 0 0 000000000005\r\n", kBad},
      {"set " + kLongestKey + " 0 0 5\r\n", "set [" + kLongestKey + "] bytes 5"},
      {"set " + kTooLongKey + " 0 0 5\r\n", kBad + " swallow 7"},
      {"set " + kTooLongKey + " 0 0 5 noreply\r\n", kBad + " swallow 7 noreply"},
      {"set " + kTooLongKey + " 0 0 2147483645\r\n", kBad + " swallow 2147483647"},
      {"set k -1 0 5\r\n", kBad + " swallow 7"},
      {"set k x 0 5 noreply\r\n", kBad + " swallow 7 noreply"},
      {"set k 4294967297 4294967297 5\r\n", "set [k] flags 1 exptime 1 bytes 5"},
      {"set k 18446744073709551616 0 5\r\n", kBad + " swallow 7"},
      {"set k 0 9223372036854775808 5\r\n", kBad + " swallow 7"},
      {"set k 0 2147483648 5\r\n", "set [k] exptime -2147483648 bytes 5"},
      {"set k +1 \t2 5\r\n", "set [k] flags 1 exptime 2 bytes 5"},
      {"set k 0 0 5" + fillers + " noreply\r\n", "set [k] bytes 5 noreply"},
      {"set k 0 0 5" + fillers + " r noreply\r\n", "set [k] bytes 5"},
      {"set k 0 0 5" + fillers + " noreply foo\r\n", "set [k] bytes 5 noreply"},
  };
}

std::vector<Row> ChangeRows() {
  return {
      {"delete k\r\n", "delete [k]"},
      {"delete k noreply\r\n", "delete [k] noreply"},
      {"delete k 0\r\n", "delete [k]"},
      {"delete k foo bar noreply\r\n", "delete [k] noreply"},
      {"delete noreply\r\n", "delete [noreply] noreply"},
      {"delete\r\n", kBad},
      {"delete " + kTooLongKey + "\r\n", kBad},
      {"delete " + kTooLongKey + " noreply\r\n", kBad + " noreply"},
      {"incr k 1\r\n", "incr [k] number 1"},
      {"decr k 18446744073709551615 noreply\r\n", "decr [k] number 18446744073709551615 noreply"},
      {"incr k 18446744073709551616\r\n", kBadDelta},
      {"incr k -1\r\n", kBadDelta},
      {"incr k +1\r\n", kBadDelta},
      {"incr k noreply\r\n", kBadDelta + " noreply"},
      {"incr k 1 2 3\r\n", "incr [k] number 1"},
      {"incr k\r\n", kBad},
      {"decr " + kTooLongKey + " x\r\n", kBad},
      {"touch k 5\r\n", "touch [k] exptime 5"},
      {"touch k -1 noreply\r\n", "touch [k] exptime -1 noreply"},
      {"touch k 5 6 7\r\n", "touch [k] exptime 5"},
      {"touch k\r\n", kBad},
      {"touch k x\r\n", kBadExptime},
      {"touch k 2147483648\r\n", kBadExptime},
      {"touch k noreply\r\n", kBadExptime + " noreply"},
      {"touch " + kTooLongKey + " x noreply\r\n", kBad + " noreply"},
  };
}

std::vector<Row> AdminRows() {
  return {
      {"flush_all\r\n", "flush_all []"},
      {"flush_all noreply\r\n", "flush_all [] noreply"},
      {"flush_all 10\r\n", "flush_all [] exptime 10"},
      {"flush_all 10 noreply\r\n", "flush_all [] exptime 10 noreply"},
      {"flush_all -1\r\n", "flush_all [] exptime -1"},
      {"flush_all 1 2 3\r\n", "flush_all [] exptime 1"},
      {"flush_all x\r\n", "flush_all [] fault"},
      {"flush_all x noreply\r\n", "flush_all [] fault noreply"},
      {"flush_all noreply foo\r\n", "flush_all [] fault"},
      {"flush_all noreply noreply\r\n", "flush_all [] fault noreply"},
      {" flush_all\r\n", "flush_all []"},
      {"verbosity 1\r\n", "verbosity [] number 1"},
      {"  verbosity 1 foo noreply\r\n", "verbosity [] number 1 noreply"},
      {"verbosity\r\n", kBad},
      {"verbosity -1\r\n", kBad},
      {"verbosity noreply\r\n", kBad + " noreply"},
      {"verbosity 4294967296 noreply\r\n", kBad + " noreply"},
      {"version\r\n", "version []"},
      {"version foo noreply\r\n", "version []"},
      {" version\r\n", "ERROR"},
      {"quit\r\n", "quit []"},
      {"quit foo\r\n", "quit []"},
      {"stats\r\n", "stats [] more[stats]"},
      {"stats \r\n", "stats [] more[stats ]"},
      {"stats  items foo\r\n", "stats [items] more[stats  items foo]"},
      {"stats noreply\r\n", "stats [noreply] more[stats noreply]"},
  };
}

std::vector<Row> AllRows() {
  std::vector<Row> rows;
  for (auto& some : {LineRows(), RetrievalRows(), StorageRows(), ChangeRows(), AdminRows()}) {
    rows.insert(rows.end(), some.begin(), some.end());
  }
  return rows;
}

void CheckRows(const std::vector<Row>& rows) {
  for (const auto& [line, expected] : rows) {
    INFO(line);
    const ParseResult result = Parse(line);
    CHECK(Describe(result) == expected);
    CHECK(result.consumed_bytes == line.size());
  }
}

TEST_CASE("lines of no command, or of hardly any byte, are refused as memcached refuses them") {
  CheckRows(LineRows());
}
TEST_CASE("retrievals take any number of keys and no noreply") { CheckRows(RetrievalRows()); }
TEST_CASE("a store's arguments are checked in an order that decides what is swallowed") {
  CheckRows(StorageRows());
}
TEST_CASE("changes of one item ignore what they do not know") { CheckRows(ChangeRows()); }
TEST_CASE("commands about the server ignore what they do not know") { CheckRows(AdminRows()); }

TEST_CASE("a line means the same wherever the stream is cut") {
  for (const auto& [line, expected] : AllRows()) {
    INFO(line);
    for (size_t cut = 0; cut < line.size(); ++cut) {
      const std::string_view part = std::string_view(line).substr(0, cut);
      REQUIRE(Parse(part).status == ParseStatus::kNeedMore);
      REQUIRE(Describe(Parse(line, cut)) == expected);
    }
  }
}

TEST_CASE("what follows a line does not change it") {
  for (const auto& [line, expected] : AllRows()) {
    INFO(line);
    for (const char* const follower : {"\r\n", "noreply\r\n", " 5", "get a\r\nget b\r\n"}) {
      const std::string stream = line + follower;
      const ParseResult result = Parse(stream);
      REQUIRE(Describe(result) == expected);
      REQUIRE(result.consumed_bytes == line.size());
    }
  }
}

TEST_CASE("what a request lends lies in the input") {
  const std::string line = "get abc def\r\n";
  const ParseResult result = Parse(line);
  CHECK(result.request.key.data() == line.data() + 4);
  CHECK(result.request.more_keys.data() == line.data() + 7);
}

TEST_CASE("an unfinished line may grow to 2048 bytes") {
  CHECK(Describe(Parse(std::string(kLineBytesMax, 'x'))) == "need more");
  CHECK(Describe(Parse(std::string(kLineBytesMax + 1, 'x'))) == "close");
  CHECK(Describe(Parse("set k 0 0 1" + std::string(kLineBytesMax, ' '))) == "close");
}

TEST_CASE("an unfinished get or gets may grow far longer, other retrievals may not") {
  const std::string keys(kLineBytesMax, 'x');
  CHECK(Describe(Parse("get " + keys)) == "need more");
  CHECK(Describe(Parse("gets " + keys)) == "need more");
  CHECK(Describe(Parse("gat 0 " + keys)) == "close");
  CHECK(Describe(Parse("gats 0 " + keys)) == "close");
  CHECK(Describe(Parse("getx " + keys)) == "close");
  CHECK(Describe(Parse(std::string(100, ' ') + "get " + keys)) == "need more");
  CHECK(Describe(Parse(std::string(101, ' ') + "get " + keys)) == "close");
  CHECK(Describe(Parse(std::string(kLineBytesMax + 1, ' '))) == "close");
}

TEST_CASE("an unfinished get has a bound all the same") {
  std::string line = "get ";
  line.resize(kLongLineBytesMax, 'x');
  CHECK(Describe(Parse(line, line.size())) == "need more");
  line += 'x';
  CHECK(Describe(Parse(line, line.size())) == "close");
}

TEST_CASE("a finished line may be longer than an unfinished one") {
  const std::string line = "set k 0 0 1" + std::string(3 * kLineBytesMax, ' ') + "\r\n";
  CHECK(Describe(Parse(line)) == "set [k] bytes 1");
}

TEST_CASE("bytes that are known to hold no line end are not searched again") {
  // Shown by lying: the line end in the part that is said to be known is not found.
  CHECK(Describe(Parse("get a\r\nget b\r\n", 7)) != "get [a]");
}

}  // namespace
}  // namespace larder::protocol
