#include "server/net/listen_address.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace larder::server {
namespace {

// "host|port" of each element, or the error.
std::vector<std::string> Parse(std::string_view text) {
  const ListenList list = ParseListenList(text, 11211);
  if (!list.error.empty()) return {list.error};
  std::vector<std::string> elements;
  for (const ListenAddress& address : list.addresses) {
    elements.push_back(address.host + '|' + std::to_string(address.port));
  }
  return elements;
}

using Elements = std::vector<std::string>;

TEST_CASE("a listen list names hosts, numbers and ports in every plain form") {
  CHECK(Parse("127.0.0.1") == Elements{"127.0.0.1|11211"});
  CHECK(Parse("localhost:22") == Elements{"localhost|22"});
  CHECK(Parse("::1") == Elements{"::1|11211"});
  CHECK(Parse("[::1]") == Elements{"::1|11211"});
  CHECK(Parse("[::1]:22") == Elements{"::1|22"});
  CHECK(Parse("*") == Elements{"|11211"});
  CHECK(Parse("*:22") == Elements{"|22"});
  CHECK(Parse("a:0") == Elements{"a|0"});
}

TEST_CASE("commas and semicolons separate, and empty elements do not count") {
  CHECK(Parse("a,b;c:1") == Elements{"a|11211", "b|11211", "c|1"});
  CHECK(Parse(",a,,b;") == Elements{"a|11211", "b|11211"});
  CHECK(Parse("").empty());
}

TEST_CASE("an address that makes no sense is named") {
  CHECK(Parse("a:x") == Elements{"Invalid port number: \"x\""});
  CHECK(Parse("a:") == Elements{"Invalid port number: \"\""});
  CHECK(Parse("a:65536") == Elements{"Invalid port number: \"65536\""});
  CHECK(Parse("a:-1") == Elements{"Invalid port number: \"-1\""});
  CHECK(Parse("a:1 ") == Elements{"Invalid port number: \"1 \""});
  CHECK(Parse("[::1") == Elements{"Invalid listen address: \"[::1\""});
  CHECK(Parse("[::1]x") == Elements{"Invalid listen address: \"[::1]x\""});
  CHECK(Parse(":22") == Elements{"Invalid listen address: \":22\""});
  CHECK(Parse("[]:22") == Elements{"Invalid listen address: \"[]:22\""});
}

}  // namespace
}  // namespace larder::server
