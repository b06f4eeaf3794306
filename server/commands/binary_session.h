// server/commands/binary_session.h - one client's conversation in the binary protocol.
//
// The same commands on the same handlers as in text, and between packets the same as
// protocol_session.h says; here is only what the framing asks for: a packet says how long it is, so
// that whatever is wrong with it the next one is found, and one that cannot be what its sender
// meant ends the conversation.
//
// Owner    the text session owns it, from the first byte on.
// Threads  as protocol_session.h.
// Errors   a stream that is no binary protocol ends in Next::kRefuse.
// Not here the packets: protocol/binary_parser.h. Look-ups: binary_retrieval.h
#pragma once

#include <cstdint>
#include <memory>

#include "protocol/binary_format.h"
#include "server/commands/protocol_session.h"

namespace larder::server {

class BinarySession final : public ProtocolSession {
 public:
  BinarySession(WorkerContext& context, ConnectionLink& link) : ProtocolSession(context, link) {}

  [[nodiscard]] uint64_t LookAhead(std::string_view input) const override;

 private:
  struct Stretch;

  Step TakeRequests(Turn& turn) override;
  void RefuseValue(uint32_t missing_bytes, protocol::Status why) override;
  void AnswerRefusal(protocol::Status error, protocol::ReplySink& replies) override;

  Step NextPacket(Stretch& stretch);
  Step CarryOut(Stretch& stretch);
  Step Refuse(Stretch& stretch);
  Step Handle(Stretch& stretch);
  Step ShowStats(Stretch& stretch);
  Step LookUp(Stretch& stretch);
  Step BeginValue(Stretch& stretch);

  protocol::BinaryEcho echo_;  // of the packet whose value is stored or swallowed
};

[[nodiscard]] std::unique_ptr<StreamHandler> MakeBinarySession(WorkerContext& context,
                                                               ConnectionLink& link);

}  // namespace larder::server
