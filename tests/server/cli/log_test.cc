// Lines for the operator, in either form.
#include "server/os/log.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "server/os/unique_fd.h"

namespace larder::server {
namespace {

// What `write` leaves on a log of this form and level.
template <typename Write>
std::string Logged(Log::Form form, uint32_t level, const Write& write) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  Log log(level, form, write_end.Get());
  write(log);
  write_end.Close();
  char buffer[1024];
  const ssize_t count = ::read(read_end.Get(), buffer, sizeof(buffer));
  return {buffer, static_cast<size_t>(count)};
}

// Without the time, which is 24 characters.
std::string LoggedJson(std::string_view message, std::initializer_list<LogField> fields) {
  const std::string line = Logged(Log::Form::kJson, kLogConnection,
                                  [&](Log& log) { log.Write(kLogEvent, message, fields); });
  REQUIRE(line.starts_with("{\"ts\":\"20"));
  CHECK(line.substr(30, 3) == "Z\",");
  return line.substr(32);
}

TEST_CASE("a line is a sentence and its fields") {
  const std::string line = Logged(Log::Form::kText, kLogConnection, [](Log& log) {
    log.Write(kLogWarning, "no fields");
    log.Write(kLogEvent, "two fields", {{"fd", 27}, {"address", "127.0.0.1:1"}});
  });
  CHECK(line == "no fields\ntwo fields fd=27 address=127.0.0.1:1\n");
}

TEST_CASE("in JSON a line is one object") {
  CHECK(LoggedJson("two fields", {{"fd", 27}, {"address", "127.0.0.1:1"}}) ==
        ",\"level\":\"info\",\"msg\":\"two fields\",\"fd\":27,\"address\":\"127.0.0.1:1\"}\n");
  CHECK(LoggedJson("a \"b\"\n\\ \xff", {}) ==
        ",\"level\":\"info\",\"msg\":\"a \\u0022b\\u0022\\u000a\\u005c \\u00ff\"}\n");
  CHECK(LoggedJson("negative", {{"fd", -1}}).find("\"fd\":-1") != std::string::npos);
}

TEST_CASE("levels have names in JSON") {
  const std::string lines = Logged(Log::Form::kJson, kLogConnection, [](Log& log) {
    log.Write(kLogWarning, "a");
    log.Write(kLogConnection, "b");
    log.Write(7, "not wanted");
    log.SetLevel(7);
    log.Write(7, "c");
  });
  CHECK(lines.find("\"level\":\"warning\",\"msg\":\"a\"") != std::string::npos);
  CHECK(lines.find("\"level\":\"debug\",\"msg\":\"b\"") != std::string::npos);
  CHECK(lines.find("\"level\":\"debug\",\"msg\":\"c\"") != std::string::npos);
  CHECK(lines.find("not wanted") == std::string::npos);
}

TEST_CASE("a level that is off writes nothing") {
  const std::string lines = Logged(Log::Form::kText, kLogWarning, [](Log& log) {
    log.Write(kLogEvent, "not wanted");
    log.SetLevel(kLogEvent);
    log.Write(kLogEvent, "wanted");
    log.Write(kLogConnection, "not wanted");
  });
  CHECK(lines == "wanted\n");
}

}  // namespace
}  // namespace larder::server
