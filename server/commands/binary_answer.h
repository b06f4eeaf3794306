// server/commands/binary_answer.h - who has sent a packet of the binary protocol, and how it is
// answered, if it is: quiet opcodes keep what is expected to themselves.
//
// Threads  plain values; the worker's own.
// Not here what the packets look like: protocol/binary_encoder.h. Look-ups: binary_retrieval.h
#pragma once

#include "protocol/binary_encoder.h"
#include "protocol/binary_format.h"
#include "protocol/outcome.h"
#include "protocol/reply_sink.h"

namespace larder::server {

struct BinaryAsker {
  const protocol::BinaryOpcode* opcode;  // null: nobody who speaks this protocol
  protocol::BinaryEcho echo;
};

inline void AnswerInPackets(const BinaryAsker& asker, const protocol::Outcome& outcome,
                            protocol::ReplySink& replies) {
  if (IsSilent(*asker.opcode, outcome.status)) return;
  replies.BeginAnswer();
  WriteBinaryOutcome(asker.echo, asker.opcode->answer, outcome, replies);
}

}  // namespace larder::server
