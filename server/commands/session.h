// server/commands/session.h - one client's conversation: which protocol it is in, and if that is
// text, its lines parsed, carried out and answered in order.
//
// Between requests it does what protocol_session.h says. Of requests, a retrieval with more keys
// than fit a group takes several steps, and perhaps several turns.
//
// Everything that is waited for is kept here in a few words, so that an idle connection costs
// little; the bytes of a line that is not complete stay with the connection.
//
// Owner    the connection owns the session; so does this one what it has handed all bytes to.
// Threads  as protocol_session.h.
// Errors   a stream that is no text protocol ends in Next::kRefuse.
// Not here sockets and buffers: server/net. What commands do: handlers.h, retrieval.h, storage.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "server/commands/protocol_session.h"

namespace larder::server {

class Session final : public ProtocolSession {
 public:
  Session(WorkerContext& context, ConnectionLink& link) : ProtocolSession(context, link) {}

  StreamStep OnInput(std::string_view input, uint32_t requests_max,
                     protocol::ReplySink& replies) override;
  [[nodiscard]] std::span<char> DirectInput() override;
  StreamStep OnDirectInput(size_t bytes, protocol::ReplySink& replies) override;
  [[nodiscard]] uint64_t LookAhead(std::string_view input) const override;
  [[nodiscard]] Wants Wanted() const override;

 private:
  struct Stretch;

  Step TakeRequests(Turn& turn) override;
  void RefuseValue(uint32_t missing_bytes, protocol::Status why) override;
  void AnswerRefusal(protocol::Status error, protocol::ReplySink& replies) override;

  Step MeetFirstByte(Turn& turn);
  Step NextRequest(Stretch& stretch);
  Step CarryOut(Stretch& stretch);
  Step RefuseRequest(Stretch& stretch);
  Step BeginValue(Stretch& stretch);
  Step Retrieve(Stretch& stretch);
  void SuspendRetrieval(Stretch& stretch);
  Step ContinueKeys(Stretch& stretch);

  // The members that are small come first: they fill up the base class's last word.
  bool has_begun_ = false;  // the first byte was seen
  protocol::Status keys_fault_ = protocol::Status::kNone;
  std::unique_ptr<StreamHandler> binary_;  // once the first byte was a binary request's: everything

  // Of a retrieval whose keys are not all looked up; its line is in the input from the next key on.
  int64_t keys_exptime_ = 0;
  uint32_t keys_bytes_ = 0;      // 0: there is none under way
  uint32_t keys_end_bytes_ = 0;  // behind them, to the end of the line

  uint32_t scanned_bytes_ = 0;  // of the input, known to hold no line end
  protocol::Command keys_command_ = protocol::Command::kGet;
};
static_assert(sizeof(Session) <= 80, "an idle connection must cost little");

}  // namespace larder::server
