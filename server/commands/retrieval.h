// server/commands/retrieval.h - get, gets, gat, gats: keys are looked up in groups, so that the
// cache's misses of main memory overlap, and answered in the order they came in.
//
// A group takes the keys of as many retrievals as stand next to each other in the stream, and of
// a retrieval with many keys as many as fit. Nothing else happens between its look-ups, so they
// may as well happen at once.
//
// Large values are lent to the reply queue under a pin. Since a group's values are all lent
// before the queue can say that it is full, a group that meets a large value makes the next one
// small: a client that asks for a thousand large values and does not read them pins a few.
//
// Owner    the group lends its keys from the input and must be answered while that is good.
// Threads  the worker's own.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "protocol/reply_sink.h"
#include "protocol/request.h"
#include "protocol/text_encoder.h"
#include "server/commands/worker_context.h"
#include "slab/cache.h"

namespace larder::server {

class RetrievalGroup {
 public:
  explicit RetrievalGroup(WorkerContext& context)
      : context_(context), keys_(context.group_keys), keys_max_(context.group_keys_max) {}

  // Takes the request's keys, as far as there is room, off `request`. True when it has none left.
  // REQUIRES: !IsFull(), and request.key is not empty. A retrieval that touches stands alone.
  [[nodiscard]] bool Add(protocol::Request& request);
  [[nodiscard]] bool IsFull() const { return key_count_ == keys_max_; }

  // Looks all keys up and writes what is found.
  void Answer(protocol::ReplySink& replies);

 private:
  static constexpr size_t kKeysMax = slab::Cache::kGroupKeysMax;
  struct Mark {
    protocol::CasColumn cas;
    bool is_silent;        // looked up, but not shown: a later key of the request is at fault
    protocol::Status end;  // of the request's last key: the line that follows
  };

  void AnswerTogether(protocol::ReplySink& replies);
  void AnswerTouching(protocol::ReplySink& replies);
  void Write(size_t index, const slab::Hit& hit, protocol::ReplySink& replies);

  WorkerContext& context_;
  std::array<std::string_view, kKeysMax>& keys_;  // the first key_count_ are the group's
  const size_t keys_max_;
  size_t key_count_ = 0;
  bool touches_ = false;
  bool lent_value_ = false;
  int64_t exptime_ = 0;
  std::array<Mark, kKeysMax> marks_;  // the first key_count_ are set
};

// Whether the command is a retrieval that looks and does nothing else.
[[nodiscard]] inline bool IsPlainRetrieval(protocol::Command command) {
  return protocol::RecordOf(command).syntax == protocol::CommandSyntax::kKeys;
}

}  // namespace larder::server
