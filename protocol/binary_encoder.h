// protocol/binary_encoder.h - the binary protocol's answers.
//
// Owner    none: everything is written into the sink at once. What is lent to the sink is the
//          caller's to pin.
// Not here whether a quiet request is answered: IsSilent tells, the caller asks.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/binary_format.h"
#include "protocol/outcome.h"
#include "protocol/reply_sink.h"
#include "protocol/wire_strings.h"

namespace larder::protocol {

// Whether the opcode keeps such an outcome to itself.
[[nodiscard]] bool IsSilent(const BinaryOpcode& opcode, Status status);

// The code on the wire.
[[nodiscard]] uint16_t BinaryStatusCode(Status status);

// An error, with its text.
void WriteBinaryError(const BinaryEcho& echo, Status error, ReplySink& replies);

// Any outcome of an opcode that is no look-up: the error, or what the opcode answers.
void WriteBinaryOutcome(const BinaryEcho& echo, BinaryAnswer answer, const Outcome& outcome,
                        ReplySink& replies);

// What a look-up did not find. `key`: as the client sent it.
void WriteBinaryMiss(const BinaryEcho& echo, BinaryAnswer answer, std::string_view key,
                     ReplySink& replies);

// What it found, as much of it as the opcode answers. The value is copied.
void WriteBinaryValue(const BinaryEcho& echo, BinaryAnswer answer, const FoundValue& found,
                      ReplySink& replies);

// The same with the value lent: see ReplySink::Lend for what the caller promises.
// REQUIRES: an answer with a value
void WriteLentBinaryValue(const BinaryEcho& echo, BinaryAnswer answer, const FoundValue& found,
                          ReplySink::ReleaseFn release, void* opaque, ReplySink& replies);

// One figure; the last packet of the answer has neither name nor value.
void WriteBinaryStat(const BinaryEcho& echo, std::string_view name, std::string_view value,
                     ReplySink& replies);

}  // namespace larder::protocol
