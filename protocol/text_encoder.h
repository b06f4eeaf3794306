// protocol/text_encoder.h - the text protocol's answers.
//
// Owner    none: everything is written into the sink at once. What is lent to the sink is the
//          caller's to pin.
// Not here the fixed texts: wire_strings.def
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/outcome.h"
#include "protocol/reply_sink.h"
#include "protocol/wire_strings.h"

namespace larder::protocol {

// Whether a VALUE line ends with the item's CAS unique: `gets` and `gats`.
enum class CasColumn : uint8_t { kOmitted, kShown };

// REQUIRES: a status with a line of its own.
inline void WriteStatus(Status status, ReplySink& replies) { replies.Append(StatusLine(status)); }

// An answer of one line; nothing for Status::kNone.
void WriteOutcome(const Outcome& outcome, ReplySink& replies);

// One found item of a retrieval, its value copied. END is written apart, as a status.
void WriteValue(const FoundValue& found, CasColumn cas, ReplySink& replies);

// The same with the value lent: see ReplySink::Lend for what the caller promises.
void WriteLentValue(const FoundValue& found, CasColumn cas, ReplySink::ReleaseFn release,
                    void* opaque, ReplySink& replies);

void WriteStat(std::string_view name, std::string_view value, ReplySink& replies);

}  // namespace larder::protocol
