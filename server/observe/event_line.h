// server/observe/event_line.h - one event as it crosses from the thread it happened on to the
// log's, and the line that watchers read.
//
// Owner    a record is a plain value; its key follows it in the ring.
// Threads  pure functions.
// Not here who reads the lines: event_hub.h
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace larder::server {

enum class EventKind : uint8_t {
  kFetch,
  kStore,
  kEviction,
  kDeletion,
  kConnectionNew,
  kConnectionClosed,
  kPageMove,
};

struct EventRecord {
  uint64_t id = 0;  // memcached's gid: one sequence for all threads
  int64_t unix_us = 0;
  int64_t ttl_s = 0;
  uint32_t class_id = 0;     // of a page's move: the class that gives it
  uint32_t value_bytes = 0;  // of a page's move: the class that gets it
  int32_t origin = -1;
  uint32_t idle_s = 0;
  uint16_t port = 0;
  EventKind kind = EventKind::kFetch;
  uint8_t status = 0;   // of the event's own enum; of an eviction: whether it was fetched
  uint8_t command = 0;  // the same; of a connection: its carrier
  uint8_t key_bytes = 0;
};
static_assert(std::is_trivially_copyable_v<EventRecord>);

// The stream that events of this kind belong to.
[[nodiscard]] uint32_t StreamOf(EventKind kind);

// Appends the event's line, its end included. `key`: of a connection, the peer's address.
void AppendEventLine(const EventRecord& event, std::string_view key, std::string& text);

}  // namespace larder::server
