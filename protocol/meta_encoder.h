// protocol/meta_encoder.h - the answers of the meta commands.
//
// An answer is a code of two letters and, for each flag of the request that shows something, that
// flag with its value, in the request's order. Which flags those are depends on the answer:
// meta_flags.def.
//
// Owner    none: everything is written into the sink at once. What is lent to the sink is the
//          caller's to pin.
// Units    expiries on any scale of seconds on which 0 means never, now_s on the same.
// Not here errors, which are statuses: wire_strings.def. Whether a quiet request is answered: the
//          handlers in server/commands/meta_*.cc.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/meta_arguments.h"
#include "protocol/outcome.h"
#include "protocol/reply_sink.h"

namespace larder::protocol {

// What flags ask about an item. The time left is shown as it is where `t` stands in the request:
// before or after a T or N that changed it.
struct MetaItem {
  std::string_view key;
  uint64_t cas = 0;
  uint32_t value_bytes = 0;
  uint32_t client_flags = 0;
  uint32_t now_s = 0;
  uint32_t expires_s = 0;           // before T and N
  uint32_t touched_expires_s = 0;   // after T
  uint32_t vivified_expires_s = 0;  // after N, of an item that this request made
  uint32_t idle_s = 0;              // since the last access
  bool was_fetched = false;
  bool has_binary_key = false;
  bool is_created = false;
  bool token_is_sent = false;  // shown as Z
  bool is_stale = false;       // as X
  bool is_won = false;         // as W
};

// mg, a hit without its value: HD.
void WriteMetaItem(const MetaArguments& meta, const MetaItem& item, ReplySink& replies);
// mg, a hit with its value: VA. REQUIRES: value.size() == item.value_bytes
void WriteMetaValue(const MetaArguments& meta, const MetaItem& item, std::string_view value,
                    ReplySink& replies);
// The same with the value lent: see ReplySink::Lend for what the caller promises.
void WriteMetaLentValue(const MetaArguments& meta, const MetaItem& item, std::string_view value,
                        ReplySink::ReleaseFn release, void* opaque, ReplySink& replies);

// ma that changed its number or made it: HD, or VA with the number where `v` asks for it.
void WriteMetaNumber(const MetaArguments& meta, const MetaItem& item, uint64_t number,
                     ReplySink& replies);

// ms: HD, NS, EX or NF for the status.
void WriteMetaStore(const MetaArguments& meta, const MetaItem& item, Status status,
                    ReplySink& replies);

// Whatever has no item to speak of: md, EN for a miss of mg, and NF and EX of ma.
void WriteMetaOutcome(const MetaArguments& meta, std::string_view key, Status status,
                      ReplySink& replies);

// me, a hit: everything at once, in words.
struct MetaDebug {
  std::string_view key;
  uint64_t cas = 0;
  uint64_t item_bytes = 0;
  uint32_t now_s = 0;
  uint32_t expires_s = 0;
  uint32_t idle_s = 0;
  uint32_t class_id = 0;
  bool was_fetched = false;
  bool has_binary_key = false;
};
void WriteMetaDebug(const MetaDebug& item, ReplySink& replies);

}  // namespace larder::protocol
