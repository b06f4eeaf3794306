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

Binding ProtocolsOf(std::string_view text, Binding default_protocols = Binding::kAuto) {
  const ListenList list = ParseListenList(text, 11211, default_protocols);
  INFO(list.error);
  REQUIRE(list.addresses.size() == 1);
  CHECK(list.addresses.front().host == "127.0.0.1");
  CHECK(list.addresses.front().port == 22);
  return list.addresses.front().protocols;
}

TEST_CASE(
    "a prefix says which protocols a listener takes, and the default says it for the others") {
  CHECK(ProtocolsOf("127.0.0.1:22") == Binding::kAuto);
  CHECK(ProtocolsOf("127.0.0.1:22", Binding::kBinary) == Binding::kBinary);
  CHECK(ProtocolsOf("proto[ascii]:127.0.0.1:22", Binding::kBinary) == Binding::kText);
  CHECK(ProtocolsOf("proto[binary]:127.0.0.1:22") == Binding::kBinary);
  CHECK(ProtocolsOf("proto[negotiating]:127.0.0.1:22", Binding::kText) == Binding::kAuto);
  CHECK(ProtocolsOf("proto[ascii]:[127.0.0.1]:22") == Binding::kText);
}

TEST_CASE("tags and notls change nothing here") {
  CHECK(Parse("tag[a]:b") == Elements{"b|11211"});
  CHECK(Parse("tag_services_:b:22") == Elements{"b|22"});
  CHECK(Parse("notls:b") == Elements{"b|11211"});
  CHECK(Parse("notls:proto[binary]:tag_12345678_:[::1]:22,c") == Elements{"::1|22", "c|11211"});
  CHECK(Parse("tagged.example:22") == Elements{"tagged.example|22"});  // a name, no tag
  CHECK(Parse("protocol") == Elements{"protocol|11211"});
}

TEST_CASE("a prefix that makes no sense is named") {
  CHECK(Parse("proto[gopher]:a") == Elements{"Unknown protocol: \"gopher\""});
  CHECK(Parse("proto[proxy]:a") == Elements{"Unknown protocol: \"proxy\""});
  CHECK(Parse("proto[ascii:a") == Elements{"Invalid protocol spec: \"proto[ascii:a\""});
  CHECK(Parse("proto[ascii]a") == Elements{"Invalid protocol spec: \"proto[ascii]a\""});
  CHECK(Parse("tag_a:b") == Elements{"Invalid tag in socket config: \"tag_a:b\""});
  CHECK(Parse("tag[]:b") == Elements{"Listener tags must be between 1 and 8 characters: \"\""});
  CHECK(Parse("tag_123456789_:b") ==
        Elements{"Listener tags must be between 1 and 8 characters: \"123456789\""});
  CHECK(Parse("btls:a") == Elements{"'btls' needs TLS, which is not in this build"});
  CHECK(Parse("mtls:a") == Elements{"'mtls' needs TLS, which is not in this build"});
  CHECK(Parse("notls:") == Elements{"Invalid listen address: \"\""});
}

}  // namespace
}  // namespace larder::server
