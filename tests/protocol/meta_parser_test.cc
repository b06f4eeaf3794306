#include "protocol/meta_parser.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "protocol/limits.h"
#include "protocol/text_parser.h"

namespace larder::protocol {
namespace {

const std::string kLongestKey(250, 'k');
const std::string kTooLongKey(251, 'k');
const std::string kLongestOpaque = "O" + std::string(31, 'o');
const std::string kTooLongOpaque = "O" + std::string(32, 'o');

std::string Text(Status status) {
  std::string line(StatusLine(status));
  line.resize(line.size() - kLineEnd.size());
  return line;
}

// The flags with their numbers as they were understood, in order.
std::string DescribeFlags(const MetaArguments& meta) {
  std::string text;
  for (const MetaFlag flag : meta.InOrder()) {
    text += std::string(" ") + LetterOf(flag);
    switch (flag) {
#define META_FLAG(name, letter, shown)
#define META_NUMBER(name, letter, member, type, initial, parse, complaint) \
  case MetaFlag::name:                                                     \
    text += std::to_string(meta.member);                                   \
    break;
#include "protocol/meta_flags.def"
#undef META_FLAG
#undef META_NUMBER
      case MetaFlag::kMode:
        text += meta.mode;
        break;
      case MetaFlag::kOpaque:
        text += "[" + std::string(meta.Opaque()) + "]";
        break;
      default:
        break;
    }
  }
  return text;
}

std::string Describe(const ParseResult& result, const MetaArguments& meta) {
  if (result.status == ParseStatus::kNeedMore) return "need more";
  if (result.status == ParseStatus::kError) {
    const std::string swallow = std::to_string(result.swallow_bytes);
    return Text(result.error) + (swallow != "0" ? " swallow " + swallow : "") +
           (result.request.noreply ? " noreply" : "");
  }
  const Request& request = result.request;
  CHECK(request.meta == &meta);
  std::string text = std::string(RecordOf(request.command).word) + " [";
  text += std::string(request.key) + "]";
  if (request.value_bytes != 0) text += " bytes " + std::to_string(request.value_bytes);
  if (request.client_flags != 0) text += " flags " + std::to_string(request.client_flags);
  if (request.exptime != 0) text += " exptime " + std::to_string(request.exptime);
  if (request.number != 0) text += " cas " + std::to_string(request.number);
  text += DescribeFlags(meta);
  if (request.fault != Status::kNone) text += " fault " + Text(request.fault);
  return text;
}

std::string Parse(std::string_view input, size_t scanned_bytes = 0) {
  MetaArguments meta;
  const ParseResult result = ParseTextRequest(input, meta, scanned_bytes);
  return Describe(result, meta);
}

struct Row {
  std::string line;
  std::string expected;
};

const std::string kBad = "CLIENT_ERROR bad command line format";
const std::string kBadToken = "CLIENT_ERROR bad token in command line format";
const std::string kInvalid = "CLIENT_ERROR invalid flag";
const std::string kDuplicate = "CLIENT_ERROR duplicate flag";
const std::string kMany = "CLIENT_ERROR options flags are too long";
const std::string kBadKey = "CLIENT_ERROR error decoding key";
const std::string kEither = "CLIENT_ERROR invalid or duplicate flag";
const std::string kOpaque = "CLIENT_ERROR opaque token too long";

std::vector<Row> FlagRows() {
  return {
      {"mg k\r\n", "mg [k]"},
      {"mg k\n", "mg [k]"},
      {"mg  k  v  \r\n", "mg [k] v"},
      {"mg k v q t\r\n", "mg [k] v q t"},
      {"mg k t q v\r\n", "mg [k] t q v"},
      {"mg k vfoo qx k-1 s! t\x7f\r\n", "mg [k] v q k s t"},
      {"mg k T30 N-1 R0\r\n", "mg [k] T30 N-1 R0"},
      {"mg k C18446744073709551615 E0\r\n", "mg [k] C18446744073709551615 E0"},
      {"mg k F4294967295 J1 D2\r\n", "mg [k] F4294967295 J1 D2"},
      {"mg k P L Pfoo\r\n", kDuplicate},
      {"mg k P/a/b L12 u h l f c I x\r\n", "mg [k] P L u h l f c I x"},
      {"mg k O\r\n", "mg [k] O[O]"},
      {"mg k Oabc v\r\n", "mg [k] O[Oabc] v"},
      {"mg k M\r\n", "mg [k] M "},
      {"mg k Mx\r\n", "mg [k] Mx"},
      {"mg k noreply\r\n", kInvalid},
      {"mg\r\n", kBad},
      {"mg \r\n", kBad},
      {"mg k v v\r\n", kDuplicate},
      {"mg k T1 T2\r\n", kDuplicate},
      {"mg k y\r\n", kInvalid},
      {"mg k 0\r\n", kInvalid},
      {"mg k ^ \r\n", kInvalid},
      {"mg k S100\r\n", kInvalid},
      {"mg k v v y\r\n", kDuplicate},
      {"mg k y v v\r\n", kInvalid},
      {"mg k y y\r\n", kInvalid},
      {"mg k !\r\n", kBad},
      {"mg k v v -\r\n", kBad},
      {"mg k y {\r\n", kBad},
      {"mg k \x80\r\n", kBad},
      {"mg k v \xff\r\n", kBad},
      {"mg k \x7f\r\n", kBad},
      {"mg k \tv\r\n", kBad},
      {"mg ! v\r\n", "mg [!] v"},
      {"mg \x80 v\r\n", "mg [\x80] v"},
      {"mg " + kLongestKey + " v\r\n", "mg [" + kLongestKey + "] v"},
      {"mg " + kTooLongKey + " v\r\n", kBad},
      {"mg " + kTooLongKey + " y v v\r\n", kBad},
  };
}

std::vector<Row> NumberRows() {
  return {
      {"mg k T\r\n", kBadToken},
      {"mg k T+1\r\n", kBadToken},
      {"mg k T1x\r\n", kBadToken},
      {"mg k T2147483647\r\n", "mg [k] T2147483647"},
      {"mg k T2147483648\r\n", kBadToken},
      {"mg k T-2147483648\r\n", "mg [k] T-2147483648"},
      {"mg k N\r\n", kBadToken},
      {"mg k Rx\r\n", kBadToken},
      {"mg k C\r\n", kBadToken},
      {"mg k C-1\r\n", kBadToken},
      {"mg k E18446744073709551616\r\n", kBadToken},
      {"mg k F\r\n", kBad},
      {"mg k F-1\r\n", kBad},
      {"mg k F4294967296\r\n", kBad},
      {"mg k J\r\n", "CLIENT_ERROR invalid numeric initial value"},
      {"mg k D-1\r\n", "CLIENT_ERROR invalid numeric delta value"},
      // The last bad one is named, but not F.
      {"mg k T D\r\n", "CLIENT_ERROR invalid numeric delta value"},
      {"mg k D T\r\n", kBadToken},
      {"mg k D F\r\n", "CLIENT_ERROR invalid numeric delta value"},
      {"mg k F D\r\n", "CLIENT_ERROR invalid numeric delta value"},
      {"mg k T y\r\n", kInvalid},
      {"mg k T v v\r\n", kDuplicate},
  };
}

std::vector<Row> KeyRows() {
  const std::string longest_encoded(248, 'A');
  return {
      {"mg Zm9v b\r\n", "mg [foo] b"},
      {"mg ZmZ= v b k\r\n", "mg [ff] v b k"},
      {"mg AA== b\r\n", std::string("mg [\0] b", 8)},
      {"mg Zm9 b\r\n", kBadKey},
      {"mg foo! b\r\n", kBadKey},
      {"mg foo b T\r\n", kBadToken},
      {"mg foo T b\r\n", kBadKey},
      {"mg Zm9v b b\r\n", kDuplicate},
      {"mg " + longest_encoded + " b\r\n", "mg [" + std::string(186, '\0') + "] b"},
      {"mg " + longest_encoded + "AAAA b\r\n", kBad},
      {"md Zm9v b\r\n", "md [foo] b"},
      {"ma Zm9v b\r\n", "ma [foo] b"},
      {"ms Zm9v 2 b\r\n", "ms [foo] bytes 2 b"},
  };
}

std::vector<Row> CountRows() {
  const std::string sixteen = " b v q u I x M O k c s t f h l P";
  return {
      {"mg Zm9v" + sixteen + " L F1\r\n", "mg [foo] b v q u I x M  O[O] k c s t f h l P L F1"},
      {"mg Zm9v" + sixteen + " L F1 T1\r\n", kMany},
      {"mg Zm9v" + sixteen + " L F1 v\r\n", kMany},
      {"mg " + kTooLongKey + sixteen + " L F1 T1\r\n", kBad},
      {"mg k" + sixteen + " L F1 T1 !\r\n", kBad},
      {"mg k" + sixteen + " L F1 T1 N1 R1 !\r\n", kMany},  // the twenty-fourth word is not seen
      {"ms Zm9v 2 b v q u I x MS O k c s t f h l P L\r\n",
       "ms [foo] bytes 2 b v q u I x MS O[O] k c s t f h l P L"},
      {"ms Zm9v 2 b v q u I x MS O k c s t f h l P L F1\r\n", kMany + " swallow 4"},
      {"ma Zm9v" + sixteen + " L F1 T1\r\n", kEither},
  };
}

std::vector<Row> StoreRows() {
  return {
      {"ms k 2\r\n", "ms [k] bytes 2"},
      {"ms k 0 \r\n", "ms [k]"},
      {"ms k 2 F7 T60 C9\r\n", "ms [k] bytes 2 flags 7 exptime 60 cas 9 F7 T60 C9"},
      {"ms k 2 MA N30 T60\r\n", "ms [k] bytes 2 exptime 30 MA N30 T60"},
      {"ms k 2 N30 T60 MPx\r\n", "ms [k] bytes 2 exptime 30 N30 T60 MP"},
      {"ms k 2 MA T60\r\n", "ms [k] bytes 2 exptime 60 MA T60"},
      {"ms k 2 MS N30\r\n", "ms [k] bytes 2 MS N30"},
      {"ms k 2 ME N30 T60\r\n", "ms [k] bytes 2 exptime 60 ME N30 T60"},
      {"ms k 2 MR T-1\r\n", "ms [k] bytes 2 exptime -1 MR T-1"},
      {"ms k 2147483645\r\n", "ms [k] bytes 2147483645"},
      {"ms\r\n", kBad},
      {"ms k\r\n", kBad},
      {"ms k S100\r\n", kBad},
      {"ms k x v\r\n", kBad},
      {"ms k -1\r\n", kBad},
      {"ms k +1\r\n", kBad},
      {"ms k 2147483646\r\n", kBad},
      {"ms k 2 !\r\n", kBad},
      {"ms k 2 v v !\r\n", kBad},
      {"ms k 2 S100\r\n", kInvalid + " swallow 4"},
      {"ms k 2 noreply\r\n", kInvalid + " swallow 4"},
      {"ms k 2 T\r\n", kBadToken + " swallow 4"},
      {"ms k 2 F\r\n", kBad + " swallow 4"},
      {"ms k 2 T1 T1\r\n", kDuplicate + " swallow 4"},
      {"ms k 2 b\r\n", kBadKey + " swallow 4"},
      {"ms " + kTooLongKey + " 2\r\n", kBad + " swallow 4"},
      {"ms " + kTooLongKey + " x\r\n", kBad},
      {"ms k 2147483645 y\r\n", kInvalid + " swallow 2147483647"},
      {"ms k 2 M\r\n", "CLIENT_ERROR invalid mode for ms M token swallow 4"},
      {"ms k 2 MX\r\n", "CLIENT_ERROR invalid mode for ms M token swallow 4"},
      {"ms k 2 Ms\r\n", "CLIENT_ERROR invalid mode for ms M token swallow 4"},
      {"ms k 2 MX T\r\n", kBadToken + " swallow 4"},
      {"ms k 2 MX " + kTooLongOpaque + "\r\n",
       "CLIENT_ERROR invalid mode for ms M token swallow 4"},
  };
}

std::vector<Row> ArithmeticRows() {
  return {
      {"ma k\r\n", "ma [k]"},
      {"ma k N0 J13 D5 v q\r\n", "ma [k] N0 J13 D5 v q"},
      {"ma k MI\r\n", "ma [k] MI"},
      {"ma k M+1\r\n", "ma [k] M+"},
      {"ma k MDECR\r\n", "ma [k] MD"},
      {"ma k M-\r\n", "ma [k] M-"},
      {"ma k M\r\n", "CLIENT_ERROR invalid mode for ma M token"},
      {"ma k Mi\r\n", "CLIENT_ERROR invalid mode for ma M token"},
      {"ma\r\n", kBad},
      {"ma k !\r\n", kBad},
      {"ma k y\r\n", kEither},
      {"ma k v v\r\n", kEither},
      {"ma k T\r\n", kEither},
      {"ma k J\r\n", kEither},
      {"ma k F\r\n", kEither},
      {"ma k b\r\n", kEither},
      {"ma k MX T\r\n", kEither},
      {"ma " + kTooLongKey + "\r\n", kEither},
  };
}

std::vector<Row> OpaqueRows() {
  return {
      {"mg k " + kLongestOpaque + "\r\n", "mg [k] O[" + kLongestOpaque + "]"},
      // Flags behind it come too late.
      {"mg k T1 " + kTooLongOpaque + " N1 v\r\n", "mg [k] T1 O[] fault " + kOpaque},
      {"ma k " + kTooLongOpaque + " T1\r\n", "ma [k] O[] fault " + kOpaque},
      {"ms k 2 " + kTooLongOpaque + "\r\n", "ms [k] bytes 2 O[] fault " + kOpaque},
      {"md k " + kTooLongOpaque + "\r\n", kOpaque},
      {"md k " + kTooLongOpaque + " y\r\n", kInvalid},
      {"mg k " + kTooLongOpaque + " O\r\n", kDuplicate},
      {"mg k " + kTooLongOpaque + " v v\r\n", kDuplicate},
      {"mg k " + kTooLongOpaque + " T\r\n", kBadToken},
      {"ma k " + kTooLongOpaque + " T\r\n", kEither},
  };
}

std::vector<Row> OtherRows() {
  return {
      {"me k\r\n", "me [k]"},
      {"me Zm9v b\r\n", "me [foo]"},
      {"me Zm9v b b\r\n", "me [foo]"},
      {"me foo foo b\r\n", "me [foo]"},
      {"me foo b\r\n", kBad},
      {"me foo bar\r\n", "me [foo]"},
      {"me foo v v y T\r\n", "me [foo]"},
      {"me\r\n", kBad},
      {"me k !\r\n", kBad},
      {"me " + kTooLongKey + "\r\n", kBad},
      {"MG k\r\n", "ERROR"},
      {" mg k\r\n", "ERROR"},
      {"mx k\r\n", "ERROR"},
      {"mg k\tv\r\n", "mg [k\tv]"},
  };
}

std::vector<Row> AllRows() {
  std::vector<Row> rows;
  for (auto& some : {FlagRows(), NumberRows(), KeyRows(), CountRows(), StoreRows(),
                     ArithmeticRows(), OpaqueRows(), OtherRows()}) {
    rows.insert(rows.end(), some.begin(), some.end());
  }
  return rows;
}

void CheckRows(const std::vector<Row>& rows) {
  for (const auto& [line, expected] : rows) {
    INFO(line);
    CHECK(Parse(line) == expected);
  }
}

TEST_CASE("flags are kept in the order of the request, each once") { CheckRows(FlagRows()); }
TEST_CASE("a flag's number must be good even where nobody asks for it") { CheckRows(NumberRows()); }
TEST_CASE("a key in base64 is decoded") { CheckRows(KeyRows()); }
TEST_CASE("a line has twenty words at most") { CheckRows(CountRows()); }
TEST_CASE("ms drops the value of a bad line once its length is known") { CheckRows(StoreRows()); }
TEST_CASE("ma has one text for all bad flags") { CheckRows(ArithmeticRows()); }
TEST_CASE("an opaque that is too long is found late, but for md") { CheckRows(OpaqueRows()); }
TEST_CASE("me looks at its key and a b behind it") { CheckRows(OtherRows()); }

TEST_CASE("a meta line means the same wherever the stream is cut") {
  for (const auto& [line, expected] : AllRows()) {
    INFO(line);
    for (size_t cut = 0; cut < line.size(); ++cut) {
      REQUIRE(Parse(std::string_view(line).substr(0, cut)) == "need more");
      REQUIRE(Parse(line, cut) == expected);
    }
  }
}

TEST_CASE("what follows a meta line does not change it") {
  for (const auto& [line, expected] : AllRows()) {
    INFO(line);
    for (const char* const follower : {"\r\n", " v", "mn\r\n", "mg b v\r\n"}) {
      REQUIRE(Parse(line + follower) == expected);
    }
  }
}

TEST_CASE("arguments do not remember the request before") {
  MetaArguments meta;
  for (const auto& [line, expected] : AllRows()) {
    INFO(line);
    const ParseResult result = ParseTextRequest(line, meta);
    REQUIRE(Describe(result, meta) == expected);
    REQUIRE(result.consumed_bytes == line.size());
  }
}

TEST_CASE("a meta line that does not end may be as long as others") {
  CHECK(Parse("mg " + std::string(kLineBytesMax - 3, ' ')) == "need more");
  MetaArguments meta;
  const std::string line = "mg " + std::string(kLineBytesMax - 2, ' ');
  CHECK(ParseTextRequest(line, meta).status == ParseStatus::kClose);
}

}  // namespace
}  // namespace larder::protocol
