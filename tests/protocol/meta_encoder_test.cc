#include "protocol/meta_encoder.h"

#include <string>

#include <catch2/catch.hpp>

#include "protocol/text_parser.h"
#include "tests/protocol/string_sink.h"

namespace larder::protocol {
namespace {

// The arguments of `mg k <flags>`: all flags are understood there.
MetaArguments Flags(const std::string& flags) {
  MetaArguments meta;
  const std::string line = "mg Zm9v " + flags + "\r\n";
  REQUIRE(ParseTextRequest(line, meta).status == ParseStatus::kRequest);
  return meta;
}

template <typename WriteFn, typename... Arguments>
std::string Encode(WriteFn write, const Arguments&... arguments) {
  StringSink sink;
  write(arguments..., sink);
  return sink.Take();
}

const MetaItem kItem{.key = "key",
                     .cas = 77,
                     .value_bytes = 3,
                     .client_flags = 5,
                     .now_s = 100,
                     .expires_s = 160,
                     .idle_s = 8,
                     .was_fetched = true};

std::string EncodeItem(const std::string& flags, const MetaItem& item = kItem) {
  return Encode(WriteMetaItem, Flags(flags), item);
}

TEST_CASE("a hit shows what was asked for, in that order") {
  CHECK(EncodeItem("") == "HD\r\n");
  CHECK(EncodeItem("s c f t k h l Oabc") == "HD s3 c77 f5 t60 kkey h1 l8 Oabc\r\n");
  CHECK(EncodeItem("Oabc l h k t f c s") == "HD Oabc l8 h1 kkey t60 f5 c77 s3\r\n");
}

TEST_CASE("flags that only act show nothing") {
  CHECK(EncodeItem("b v q u I x MS P L C1 E2 F3 J4 D5 R6 O") == "HD O\r\n");
}

TEST_CASE("a hit with its value announces its size first") {
  const MetaArguments meta = Flags("v k");
  CHECK(Encode(WriteMetaValue, meta, kItem, std::string_view("abc")) == "VA 3 kkey\r\nabc\r\n");
}

TEST_CASE("an empty value is a line and an empty line of its own") {
  MetaItem item = kItem;
  item.value_bytes = 0;
  CHECK(Encode(WriteMetaValue, Flags("v"), item, std::string_view()) == "VA 0\r\n\r\n");
}

TEST_CASE("a value that is lent to the sink reads like a copied one and is released once") {
  int release_count = 0;
  const auto release = [](void* opaque) { ++*static_cast<int*>(opaque); };
  StringSink sink;
  WriteMetaLentValue(Flags("v c"), kItem, "abc", release, &release_count, sink);
  CHECK(release_count == 0);
  CHECK(sink.Take() == "VA 3 c77\r\nabc\r\n");
  CHECK(release_count == 1);
}

TEST_CASE("the time left is shown as it is where the flag stands") {
  MetaItem item = kItem;
  item.touched_expires_s = 130;
  CHECK(EncodeItem("t T30", item) == "HD t60\r\n");
  CHECK(EncodeItem("T30 t", item) == "HD t30\r\n");
  CHECK(EncodeItem("N9 t", item) == "HD t60\r\n");  // it was there

  item.is_created = true;
  item.expires_s = 0;
  item.vivified_expires_s = 109;
  CHECK(EncodeItem("t N9", item) == "HD t-1\r\n");
  CHECK(EncodeItem("N9 t", item) == "HD t9\r\n");
  CHECK(EncodeItem("N9 T30 t", item) == "HD t30\r\n");
  CHECK(EncodeItem("T30 N9 t", item) == "HD t9\r\n");
  CHECK(EncodeItem("N9 t T30", item) == "HD t9\r\n");
}

TEST_CASE("a time that is over is a very large one") {
  MetaItem item = kItem;
  item.expires_s = 1;
  CHECK(EncodeItem("t", item) == "HD t" + std::to_string(4294967296 - 99) + "\r\n");
}

TEST_CASE("what became of the token stands at the end, sent before stale before won") {
  MetaItem item = kItem;
  item.is_won = true;
  CHECK(EncodeItem("s", item) == "HD s3 W\r\n");
  item.is_stale = true;
  CHECK(EncodeItem("s", item) == "HD s3 X W\r\n");
  item.is_won = false;
  item.token_is_sent = true;
  CHECK(EncodeItem("s", item) == "HD s3 Z X\r\n");
}

TEST_CASE("a binary key is shown in base64 and says so") {
  MetaItem item = kItem;
  item.key = "ff";
  item.has_binary_key = true;
  CHECK(EncodeItem("k s", item) == "HD kZmY= b s3\r\n");
}

TEST_CASE("an answer without an item shows key and opaque only") {
  const MetaArguments meta = Flags("s t k c O7 f h l v");
  const std::string_view key = "key";
  CHECK(Encode(WriteMetaOutcome, meta, key, Status::kMetaMiss) == "EN kkey O7\r\n");
  CHECK(Encode(WriteMetaOutcome, meta, key, Status::kDeleted) == "HD kkey O7\r\n");
  CHECK(Encode(WriteMetaOutcome, meta, key, Status::kNotFound) == "NF kkey O7\r\n");
  CHECK(Encode(WriteMetaOutcome, meta, key, Status::kExists) == "EX kkey O7\r\n");
  const MetaArguments binary = Flags("b k");
  CHECK(Encode(WriteMetaOutcome, binary, std::string_view("foo"), Status::kMetaMiss) ==
        "EN kZm9v b\r\n");
}

TEST_CASE("a store shows key, opaque, size and CAS unique, whatever became of it") {
  const MetaArguments meta = Flags("s t k c O7 f h l v");
  CHECK(Encode(WriteMetaStore, meta, kItem, Status::kStored) == "HD s3 kkey c77 O7\r\n");
  CHECK(Encode(WriteMetaStore, meta, kItem, Status::kNotStored) == "NS s3 kkey c77 O7\r\n");
  CHECK(Encode(WriteMetaStore, meta, kItem, Status::kExists) == "EX s3 kkey c77 O7\r\n");
  CHECK(Encode(WriteMetaStore, meta, kItem, Status::kNotFound) == "NF s3 kkey c77 O7\r\n");
}

TEST_CASE("a number is shown where its value is asked for") {
  CHECK(Encode(WriteMetaNumber, Flags("s t k c O7 f h l"), kItem, UINT64_MAX) ==
        "HD t60 kkey c77 O7\r\n");
  CHECK(Encode(WriteMetaNumber, Flags("v t"), kItem, UINT64_MAX) ==
        "VA 20 t60\r\n18446744073709551615\r\n");
  CHECK(Encode(WriteMetaNumber, Flags("v"), kItem, uint64_t{7}) == "VA 1\r\n7\r\n");
}

TEST_CASE("the widest line fits its room") {
  const std::string key(250, '\xff');
  MetaItem item{.key = key,
                .cas = UINT64_MAX,
                .value_bytes = UINT32_MAX,
                .client_flags = UINT32_MAX,
                .now_s = 1,
                .expires_s = UINT32_MAX,
                .idle_s = UINT32_MAX,
                .has_binary_key = true,
                .token_is_sent = true,
                .is_stale = true,
                .is_won = true};
  const std::string opaque = "O" + std::string(31, 'o');
  const std::string answer = EncodeItem("s c f t k h l " + opaque, item);
  CHECK(answer.starts_with("HD s4294967295 c18446744073709551615 f4294967295 t4294967294 k////"));
  CHECK(answer.ends_with(" b h0 l4294967295 " + opaque + " Z X W\r\n"));
}

TEST_CASE("everything about an item is shown in words") {
  MetaDebug item{.key = "key",
                 .cas = 77,
                 .item_bytes = 90,
                 .now_s = 100,
                 .expires_s = 160,
                 .idle_s = 8,
                 .class_id = 2,
                 .was_fetched = true};
  CHECK(Encode(WriteMetaDebug, item) == "ME key exp=60 la=8 cas=77 fetch=yes cls=2 size=90\r\n");
  item.expires_s = 0;
  item.was_fetched = false;
  item.has_binary_key = true;
  CHECK(Encode(WriteMetaDebug, item) == "ME a2V5 exp=-1 la=8 cas=77 fetch=no cls=2 size=90\r\n");
  item.expires_s = 99;  // the clock has ticked since it was found
  CHECK(Encode(WriteMetaDebug, item) == "ME a2V5 exp=0 la=8 cas=77 fetch=no cls=2 size=90\r\n");
}

}  // namespace
}  // namespace larder::protocol
