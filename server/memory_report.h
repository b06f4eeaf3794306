// server/memory_report.h - what --explain-memory prints: where every MiB of a server with these
// settings will go.
//
// Threads  a pure function.
// Not here what is there at run time: `stats larder`
#pragma once

#include <string>

#include "server/settings.h"
#include "slab/memory_plan.h"

namespace larder::server {

[[nodiscard]] std::string ExplainMemory(const Settings& settings, const slab::MemoryPlan& plan);

}  // namespace larder::server
