// server/commands/binary_retrieval.h - look-ups of the binary protocol: Get and GAT with their
// quiet and key-showing forms, and Touch, which shows the flags of what it touched.
//
// Clients ask for many keys with as many packets, quiet ones mostly, and a Noop behind them. Those
// that stand next to each other in the stream are looked up as one group: see retrieval.h, whose
// text counterpart this is, for why, and for how large values keep groups small.
//
// Owner    the group lends its keys from the input and must be answered while that is good.
// Threads  the worker's own.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "protocol/binary_parser.h"
#include "protocol/reply_sink.h"
#include "server/commands/binary_answer.h"
#include "server/commands/worker_context.h"
#include "slab/cache.h"

namespace larder::server {

class BinaryLookUpGroup {
 public:
  explicit BinaryLookUpGroup(WorkerContext& context)
      : context_(context), keys_max_(context.group_keys_max) {}

  // REQUIRES: !IsFull(), and a look-up; one that touches stands alone.
  void Add(const protocol::BinaryParseResult& parsed);
  [[nodiscard]] bool IsFull() const { return count_ == keys_max_; }

  // Looks all keys up and writes what is to be answered.
  void Answer(protocol::ReplySink& replies);

 private:
  static constexpr size_t kKeysMax = slab::Cache::kGroupKeysMax;

  void AnswerTogether(protocol::ReplySink& replies);
  void Write(size_t index, const slab::Hit& hit, protocol::ReplySink& replies);
  void WriteHit(const BinaryAsker& asker, const slab::Hit& hit, protocol::ReplySink& replies);

  WorkerContext& context_;
  const size_t keys_max_;
  size_t count_ = 0;
  bool touches_ = false;
  bool lent_value_ = false;
  int64_t exptime_ = 0;
  std::array<std::string_view, kKeysMax> keys_;
  std::array<BinaryAsker, kKeysMax> askers_;  // the first count_ are set
};

// Whether the request is a look-up that looks and does nothing else.
[[nodiscard]] inline bool IsPlainLookUp(const protocol::BinaryParseResult& parsed) {
  return parsed.opcode->work == protocol::BinaryWork::kLookUp &&
         parsed.request.command == protocol::Command::kGet;
}

}  // namespace larder::server
