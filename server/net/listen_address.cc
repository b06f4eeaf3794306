#include "server/net/listen_address.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace larder::server {
namespace {

std::optional<uint16_t> ParsePort(std::string_view text) {
  uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || stop != end) return std::nullopt;
  return port;
}

struct HostAndPort {
  std::string_view host;
  std::optional<std::string_view> port;
};

std::optional<HostAndPort> Split(std::string_view element) {
  if (element.starts_with('[')) {
    const size_t close = element.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view host = element.substr(1, close - 1);
    const std::string_view behind = element.substr(close + 1);
    if (behind.empty()) return HostAndPort{host, std::nullopt};
    if (behind.front() != ':') return std::nullopt;
    return HostAndPort{host, behind.substr(1)};
  }
  // One colon divides host and port; several can only be a plain IPv6 address.
  if (std::count(element.begin(), element.end(), ':') != 1) {
    return HostAndPort{element, std::nullopt};
  }
  const size_t colon = element.find(':');
  return HostAndPort{element.substr(0, colon), element.substr(colon + 1)};
}

struct ProtocolName {
  std::string_view name;
  Binding protocols;
};
constexpr ProtocolName kProtocolNames[] = {
    {"ascii", Binding::kText},
    {"binary", Binding::kBinary},
    {"negotiating", Binding::kAuto},
};

constexpr size_t kTagBytesMax = 8;

// What is between `begin` and the next `end`, followed by ':'; `element` goes on behind it.
std::optional<std::string_view> TakeEnclosed(std::string_view begin, char end,
                                             std::string_view* element) {
  const size_t end_at = element->find(end, begin.size());
  if (end_at == std::string_view::npos || !element->substr(end_at + 1).starts_with(':')) {
    return std::nullopt;
  }
  const std::string_view enclosed = element->substr(begin.size(), end_at - begin.size());
  element->remove_prefix(end_at + 2);
  return enclosed;
}

std::string TakeProtocol(std::string_view* element, Binding* protocols) {
  const std::optional<std::string_view> name = TakeEnclosed("proto[", ']', element);
  if (!name.has_value()) return fmt::format("Invalid protocol spec: \"{}\"", *element);
  for (const ProtocolName& known : kProtocolNames) {
    if (known.name != *name) continue;
    *protocols = known.protocols;
    return {};
  }
  return fmt::format("Unknown protocol: \"{}\"", *name);
}

// A tag is a name for the proxy, which is not here.
std::string SkipTag(std::string_view begin, char end, std::string_view* element) {
  const std::optional<std::string_view> tag = TakeEnclosed(begin, end, element);
  if (!tag.has_value()) return fmt::format("Invalid tag in socket config: \"{}\"", *element);
  if (tag->empty() || tag->size() > kTagBytesMax) {
    return fmt::format("Listener tags must be between 1 and {} characters: \"{}\"", kTagBytesMax,
                       *tag);
  }
  return {};
}

// One prefix of many. The text says what is wrong with it; "" and an unchanged element: there is
// none any more.
std::string TakePrefix(std::string_view* element, Binding* protocols) {
  constexpr std::string_view kNoTls = "notls:";
  if (element->starts_with("proto[")) return TakeProtocol(element, protocols);
  if (element->starts_with("tag[")) return SkipTag("tag[", ']', element);
  if (element->starts_with("tag_")) return SkipTag("tag_", '_', element);
  if (element->starts_with("btls:") || element->starts_with("mtls:")) {
    return fmt::format("'{}' needs TLS, which is not in this build", element->substr(0, 4));
  }
  if (element->starts_with(kNoTls)) element->remove_prefix(kNoTls.size());
  return {};
}

// Appends to the list, or says what is wrong with the element.
std::string AddElement(std::string_view element, const ListenAddress& defaults, ListenList* list) {
  ListenAddress address = defaults;
  for (size_t bytes_before = 0; bytes_before != element.size();) {
    bytes_before = element.size();
    std::string complaint = TakePrefix(&element, &address.protocols);
    if (!complaint.empty()) return complaint;
  }
  const std::optional<HostAndPort> parts = Split(element);
  if (!parts.has_value() || parts->host.empty()) {
    return fmt::format("Invalid listen address: \"{}\"", element);
  }
  if (parts->host != "*") address.host = parts->host;
  if (parts->port.has_value()) {
    const std::optional<uint16_t> port = ParsePort(*parts->port);
    if (!port.has_value()) return fmt::format("Invalid port number: \"{}\"", *parts->port);
    address.port = *port;
  }
  list->addresses.push_back(std::move(address));
  return {};
}

}  // namespace

ListenList ParseListenList(std::string_view text, uint16_t default_port,
                           Binding default_protocols) {
  ListenAddress defaults;
  defaults.port = default_port;
  defaults.protocols = default_protocols;
  ListenList list;
  while (!text.empty() && list.error.empty()) {
    const size_t separator = std::min(text.find_first_of(",;"), text.size());
    const std::string_view element = text.substr(0, separator);
    if (!element.empty()) list.error = AddElement(element, defaults, &list);
    text.remove_prefix(std::min(separator + 1, text.size()));
  }
  return list;
}

}  // namespace larder::server
