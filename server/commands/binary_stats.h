// server/commands/binary_stats.h - the groups of statistics that the binary protocol has: the same
// figures in the same order as `stats`, a packet for each.
//
// Threads  any; figures are a snapshot taken while others work.
// Not here the figures: stats.h
#pragma once

#include <string_view>

#include "protocol/binary_format.h"
#include "protocol/reply_sink.h"
#include "server/commands/worker_context.h"

namespace larder::server {

// Answers with the group's packets, or says that there is no such group, or leaves a feed that
// answers. `group`: empty for the general figures.
void WriteBinaryStats(WorkerContext& context, const protocol::BinaryEcho& echo,
                      std::string_view group, protocol::ReplySink& replies);

}  // namespace larder::server
