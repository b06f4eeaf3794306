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
  if (element.front() == '[') {
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

// Appends to the list, or says what is wrong with the element.
std::string AddElement(std::string_view element, uint16_t default_port, ListenList* list) {
  const std::optional<HostAndPort> parts = Split(element);
  if (!parts.has_value() || parts->host.empty()) {
    return fmt::format("Invalid listen address: \"{}\"", element);
  }
  ListenAddress address;
  if (parts->host != "*") address.host = parts->host;
  address.port = default_port;
  if (parts->port.has_value()) {
    const std::optional<uint16_t> port = ParsePort(*parts->port);
    if (!port.has_value()) return fmt::format("Invalid port number: \"{}\"", *parts->port);
    address.port = *port;
  }
  list->addresses.push_back(std::move(address));
  return {};
}

}  // namespace

ListenList ParseListenList(std::string_view text, uint16_t default_port) {
  ListenList list;
  while (!text.empty() && list.error.empty()) {
    const size_t separator = std::min(text.find_first_of(",;"), text.size());
    const std::string_view element = text.substr(0, separator);
    if (!element.empty()) list.error = AddElement(element, default_port, &list);
    text.remove_prefix(std::min(separator + 1, text.size()));
  }
  return list;
}

}  // namespace larder::server
