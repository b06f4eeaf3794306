#include "protocol/command_table.h"

#include <catch2/catch.hpp>

namespace larder::protocol {
namespace {

TEST_CASE("every command is found by its word") {
  for (const CommandRecord& record : kCommands) {
    INFO(record.word);
    const CommandRecord* found = FindCommand(record.word);
    REQUIRE(found != nullptr);
    CHECK(found->command == record.command);
    CHECK(&RecordOf(record.command) == found);
  }
}

TEST_CASE("a word that only resembles a command is none") {
  using namespace std::string_view_literals;
  for (const std::string_view word :
       {""sv, "g"sv, "ge"sv, "GET"sv, "Get"sv, "getx"sv, "getss"sv, "\0get"sv, "get\0"sv,
        "flush_alx"sv, "flush_all_"sv, "flush_al"sv, "verbositi"sv, "verbosity1"sv, "mx"sv,
        "noreply"sv, "prependprepend"sv}) {
    INFO(word);
    CHECK(FindCommand(word) == nullptr);
  }
}

}  // namespace
}  // namespace larder::protocol
