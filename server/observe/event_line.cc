#include "server/observe/event_line.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

#include "server/observe/event_log.h"
#include "server/observe/uri_encoding.h"

namespace larder::server {
namespace {

// In the order of FetchResult, StoreResultKind, StoreCommand, DeleteCommand, Carrier, CloseReason.
constexpr std::array<std::string_view, 4> kFetchResults = {"not_found", "found", "flushed",
                                                           "expired"};
constexpr std::array<std::string_view, 6> kStoreResults = {"not_stored", "stored",    "exists",
                                                           "not_found",  "too_large", "no_memory"};
constexpr std::array<std::string_view, 7> kStoreCommands = {"null",   "add",     "set", "replace",
                                                            "append", "prepend", "cas"};
constexpr std::array<std::string_view, 3> kDeleteCommands = {"null", "delete", "md"};
constexpr std::array<std::string_view, 3> kCarriers = {"tcp", "local", "udp"};
constexpr std::array<std::string_view, 4> kCloseReasons = {"normal", "error", "idle_timeout",
                                                           "shutdown"};

template <typename... Values>
void Append(std::string& text, fmt::format_string<Values...> format, Values&&... values) {
  fmt::format_to(std::back_inserter(text), format, std::forward<Values>(values)...);
}

void AppendConnection(const EventRecord& event, std::string_view address, std::string& text) {
  const bool is_new = event.kind == EventKind::kConnectionNew;
  Append(text, "type={} rip={} rport={} transport={} ", is_new ? "conn_new" : "conn_close", address,
         event.port, kCarriers[event.command]);
  if (!is_new) Append(text, "reason={} ", kCloseReasons[event.status]);
  Append(text, "cfd={}", event.origin);
}

}  // namespace

uint32_t StreamOf(EventKind kind) {
  switch (kind) {
    case EventKind::kFetch:
      return watch_stream::kFetchers;
    case EventKind::kStore:
      return watch_stream::kMutations;
    case EventKind::kEviction:
      return watch_stream::kEvictions;
    case EventKind::kDeletion:
      return watch_stream::kDeletions;
    case EventKind::kConnectionNew:
    case EventKind::kConnectionClosed:
      return watch_stream::kConnectionEvents;
    case EventKind::kPageMove:
      return watch_stream::kSystemEvents;
  }
  return 0;
}

void AppendEventLine(const EventRecord& event, std::string_view key, std::string& text) {
  constexpr int64_t kPerSecond = 1'000'000;
  // The microseconds without leading zeros, as memcached writes them.
  Append(text, "ts={}.{} gid={} ", event.unix_us / kPerSecond, event.unix_us % kPerSecond,
         event.id);
  std::string encoded;
  AppendUriEncoded(key, encoded);
  switch (event.kind) {
    case EventKind::kFetch:
      Append(text, "type=item_get key={} status={} clsid={} cfd={} size={}", encoded,
             kFetchResults[event.status], event.class_id, event.origin, event.value_bytes);
      break;
    case EventKind::kStore:
      Append(text, "type=item_store key={} status={} cmd={} ttl={} clsid={} cfd={} size={}",
             encoded, kStoreResults[event.status], kStoreCommands[event.command], event.ttl_s,
             event.class_id, event.origin, event.value_bytes);
      break;
    case EventKind::kEviction:
      Append(text, "type=eviction key={} fetch={} ttl={} la={} clsid={} size={}", encoded,
             event.status != 0 ? "yes" : "no", event.ttl_s, event.idle_s, event.class_id,
             event.value_bytes);
      break;
    case EventKind::kDeletion:
      Append(text, "type=deleted key={} cmd={} clsid={} size={}", encoded,
             kDeleteCommands[event.command], event.class_id, event.value_bytes);
      break;
    case EventKind::kConnectionNew:
    case EventKind::kConnectionClosed:
      AppendConnection(event, key, text);
      break;
    case EventKind::kPageMove:
      Append(text, "type=slab_move src={} dst={} state=ok", event.class_id, event.value_bytes);
      break;
  }
  text += '\n';
}

}  // namespace larder::server
