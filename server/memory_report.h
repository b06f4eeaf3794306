// server/memory_report.h - what --explain-memory prints: where every MiB of a server with these
// settings will go.
//
// Threads  a pure function.
// Not here what is there at run time: `stats larder`
#pragma once

#include <cstdint>
#include <string>

#include "server/settings.h"
#include "slab/memory_plan.h"

namespace larder::server {

// What the front end takes beside the cache.
struct BufferBounds {
  uint64_t receive_bytes = 0;           // of each thread
  uint64_t unsent_reply_bytes_max = 0;  // of a connection, before it is no longer read from
};

[[nodiscard]] std::string ExplainMemory(const Settings& settings, const slab::MemoryPlan& plan,
                                        const BufferBounds& buffers);

}  // namespace larder::server
