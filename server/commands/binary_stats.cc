#include "server/commands/binary_stats.h"

#include <array>
#include <string>

#include "protocol/binary_encoder.h"
#include "server/commands/dump.h"
#include "server/commands/stats.h"
#include "server/live_settings.h"

namespace larder::server {
namespace {

using protocol::BinaryEcho;
using protocol::ReplySink;

class BinaryStatSink final : public StatSink {
 public:
  BinaryStatSink(const BinaryEcho& echo, ReplySink& replies) : echo_(echo), replies_(replies) {}
  void Emit(std::string_view key, std::string_view value) override {
    WriteBinaryStat(echo_, key, value, replies_);
  }

 private:
  const BinaryEcho echo_;
  ReplySink& replies_;
};

enum class GroupAnswer { kComplete, kComesLater, kUnknown };

// The figures of the sizes are composed by a thread that has no connection's sink.
void AppendPacket(const BinaryEcho& echo, std::string_view key, std::string_view value,
                  std::string& text) {
  std::array<char, protocol::kBinaryHeaderBytes> header;
  protocol::StoreBinaryHeader(header.data(),
                              {.opcode = echo.opcode,
                               .key_bytes = static_cast<uint16_t>(key.size()),
                               .body_bytes = static_cast<uint32_t>(key.size() + value.size()),
                               .opaque = echo.opaque});
  text.append(header.data(), header.size()).append(key).append(value);
}

GroupAnswer AnswerSizes(WorkerContext& context, const BinaryEcho& echo, StatSink& sink) {
  const auto format = [echo](std::string_view key, std::string_view value, std::string& text) {
    AppendPacket(echo, key, value, text);
  };
  if (const auto outcome = ReportSizes(context, format)) {
    const bool has_begun = outcome->status == protocol::Status::kNone;
    return has_begun ? GroupAnswer::kComesLater : GroupAnswer::kUnknown;
  }
  WriteSizes(context.environment, sink);
  return GroupAnswer::kComplete;
}

// Unknown is an argument that is none. Whatever follows a known one is ignored, as memcached does.
GroupAnswer AnswerDetail(WorkerContext& context, std::string_view argument, StatSink& sink) {
  CommandEnvironment& environment = context.environment;
  if (!environment.Options().dump_enabled) return GroupAnswer::kUnknown;
  if (argument.starts_with(" dump")) {
    // Far larger than the request, whose sender may be forged.
    if (context.connection->IsDatagram()) return GroupAnswer::kUnknown;
    sink.Emit("detailed", environment.Prefixes().Dump());
  } else if (argument.starts_with(" on")) {
    environment.Server().Live().detail_enabled.Set(true);
  } else if (argument.starts_with(" off")) {
    environment.Server().Live().detail_enabled.Set(false);
  } else {
    return GroupAnswer::kUnknown;
  }
  return GroupAnswer::kComplete;
}

// Some names are found by how the group begins, the others are its whole name: unlike the text
// protocol, where the beginning of a name is enough.
GroupAnswer AnswerGroup(WorkerContext& context, const BinaryEcho& echo, std::string_view group,
                        StatSink& sink) {
  constexpr std::string_view kDetail = "detail";
  CommandEnvironment& environment = context.environment;
  if (group.empty()) {
    WriteGeneralStats(environment, sink);
  } else if (group.starts_with("reset")) {
    ResetStats(environment);
  } else if (group.starts_with("settings")) {
    WriteSettings(environment, sink);
  } else if (group.starts_with(kDetail)) {
    return AnswerDetail(context, group.substr(kDetail.size()), sink);
  } else if (group == "items") {
    WriteItemStats(environment, sink);
  } else if (group == "slabs") {
    WriteSlabStats(environment, sink);
  } else if (group == "sizes") {
    return AnswerSizes(context, echo, sink);
  } else {
    return GroupAnswer::kUnknown;
  }
  return GroupAnswer::kComplete;
}

}  // namespace

void WriteBinaryStats(WorkerContext& context, const BinaryEcho& echo, std::string_view group,
                      ReplySink& replies) {
  replies.BeginAnswer();
  BinaryStatSink sink(echo, replies);
  switch (AnswerGroup(context, echo, group, sink)) {
    case GroupAnswer::kComplete:
      return sink.Emit({}, {});  // the packet without a key is the end
    case GroupAnswer::kUnknown:
      return WriteBinaryError(echo, protocol::Status::kNotFound, replies);
    case GroupAnswer::kComesLater:
      return;
  }
}

}  // namespace larder::server
