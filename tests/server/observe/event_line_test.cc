#include "server/observe/event_line.h"

#include <string>

#include <catch2/catch.hpp>

#include "server/net/connection_observer.h"
#include "server/observe/event_log.h"
#include "slab/event_sink.h"

namespace larder::server {
namespace {

template <typename Enum>
uint8_t Code(Enum value) {
  return static_cast<uint8_t>(value);
}

EventRecord Event(EventKind kind) {
  EventRecord event;
  event.id = 7;
  event.unix_us = 1'700'000'000'000'042;
  event.kind = kind;
  event.class_id = 3;
  event.value_bytes = 100;
  event.origin = 26;
  return event;
}

std::string LineOf(const EventRecord& event, std::string_view key) {
  std::string line;
  AppendEventLine(event, key, line);
  const std::string head = "ts=1700000000.42 gid=7 ";  // microseconds without leading zeros
  REQUIRE(line.starts_with(head));
  REQUIRE(line.ends_with("\n"));
  return line.substr(head.size(), line.size() - head.size() - 1);
}

TEST_CASE("a fetch tells what was found") {
  EventRecord event = Event(EventKind::kFetch);
  event.status = Code(slab::FetchResult::kFound);
  CHECK(LineOf(event, "a b") == "type=item_get key=a%20b status=found clsid=3 cfd=26 size=100");
  event.status = Code(slab::FetchResult::kNotFound);
  CHECK(LineOf(event, "k") == "type=item_get key=k status=not_found clsid=3 cfd=26 size=100");
  event.status = Code(slab::FetchResult::kFlushed);
  CHECK(LineOf(event, "k") == "type=item_get key=k status=flushed clsid=3 cfd=26 size=100");
  event.status = Code(slab::FetchResult::kExpired);
  CHECK(LineOf(event, "k") == "type=item_get key=k status=expired clsid=3 cfd=26 size=100");
}

TEST_CASE("a store tells what was tried and what came of it") {
  EventRecord event = Event(EventKind::kStore);
  event.ttl_s = 60;
  event.status = Code(StoreResultKind::kStored);
  event.command = Code(StoreCommand::kSet);
  CHECK(LineOf(event, "k") ==
        "type=item_store key=k status=stored cmd=set ttl=60 clsid=3 cfd=26 size=100");
  event.status = Code(StoreResultKind::kNoMemory);
  event.command = Code(StoreCommand::kCas);
  CHECK(LineOf(event, "k") ==
        "type=item_store key=k status=no_memory cmd=cas ttl=60 clsid=3 cfd=26 size=100");
}

TEST_CASE("evictions and deletions tell what is gone") {
  EventRecord event = Event(EventKind::kEviction);
  event.ttl_s = -1;
  event.idle_s = 9;
  CHECK(LineOf(event, "k") == "type=eviction key=k fetch=no ttl=-1 la=9 clsid=3 size=100");
  event.status = 1;
  CHECK(LineOf(event, "k") == "type=eviction key=k fetch=yes ttl=-1 la=9 clsid=3 size=100");

  event = Event(EventKind::kDeletion);
  event.command = Code(DeleteCommand::kDelete);
  CHECK(LineOf(event, "k") == "type=deleted key=k cmd=delete clsid=3 size=100");
  event.command = Code(DeleteCommand::kMetaDelete);
  CHECK(LineOf(event, "k") == "type=deleted key=k cmd=md clsid=3 size=100");
}

TEST_CASE("connections tell where they come from, and why they end") {
  EventRecord event = Event(EventKind::kConnectionNew);
  event.port = 40000;
  event.command = Code(Carrier::kTcp);
  CHECK(LineOf(event, "::1") == "type=conn_new rip=::1 rport=40000 transport=tcp cfd=26");

  event.kind = EventKind::kConnectionClosed;
  event.port = 0;
  event.command = Code(Carrier::kUnix);
  event.status = Code(CloseReason::kIdleTimeout);
  CHECK(LineOf(event, "unix") ==
        "type=conn_close rip=unix rport=0 transport=local reason=idle_timeout cfd=26");
  event.status = Code(CloseReason::kError);
  event.command = Code(Carrier::kUdp);
  CHECK(LineOf(event, "127.0.0.1") ==
        "type=conn_close rip=127.0.0.1 rport=0 transport=udp reason=error cfd=26");
}

TEST_CASE("a page's move tells from where to where") {
  EventRecord event = Event(EventKind::kPageMove);
  event.class_id = 5;
  event.value_bytes = 0;
  CHECK(LineOf(event, "") == "type=slab_move src=5 dst=0 state=ok");
}

TEST_CASE("a word for a stream may be cut short, and the first that fits is meant") {
  CHECK(FindStream("fetchers") == watch_stream::kFetchers);
  CHECK(FindStream("f") == watch_stream::kFetchers);
  CHECK(FindStream("m") == watch_stream::kMutations);
  CHECK(FindStream("proxye") == watch_stream::kProxyEvents);
  CHECK(FindStream("p") == watch_stream::kProxyRequests);
  CHECK(FindStream("fetchers2") == 0);
  CHECK(FindStream("noreply") == 0);
}

}  // namespace
}  // namespace larder::server
