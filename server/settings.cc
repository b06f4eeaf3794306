#include "server/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace larder::server {
namespace {

constexpr int64_t kItemBytesMin = 1024;
constexpr int64_t kGiB = int64_t{1024} * 1024 * 1024;
constexpr int32_t kPageBytes = 1024 * 1024;
constexpr int32_t kPortMax = 65535;
constexpr int32_t kAnyPort = -1;
constexpr int32_t kWorkersMax = 1024;
constexpr int32_t kLruShareMax = 80;

// What is wrong, for a usage error; empty when nothing is.
using Complaint = std::string;

Complaint CheckItemBytes(const Settings& settings) {
  const int64_t bytes = settings.item_bytes_max;
  if (bytes < kItemBytesMin) return "Item max size cannot be less than 1024 bytes.";
  if (bytes > settings.MemoryLimitBytes() / 2) {
    return "Cannot set item size limit higher than 1/2 of memory max.";
  }
  if (bytes > kGiB) return "Cannot set item size limit higher than a gigabyte.";
  return {};
}

// Only for those who choose a chunk size: the default divides no -I but multiples of 512k, and any
// other is fine here.
Complaint CheckChunkMax(const Settings& settings) {
  if (!settings.slab_chunk_max.is_given) return {};
  const int32_t chunk_bytes = settings.slab_chunk_max.bytes;
  if (chunk_bytes > settings.item_bytes_max) {
    return fmt::format("slab_chunk_max (bytes: {}) cannot be larger than -I (item_size_max {})",
                       chunk_bytes, settings.item_bytes_max);
  }
  if (settings.item_bytes_max % chunk_bytes != 0) {
    return fmt::format(
        "-I (item_size_max: {}) must be evenly divisible by slab_chunk_max (bytes: {})",
        settings.item_bytes_max, chunk_bytes);
  }
  if (kPageBytes % chunk_bytes != 0) {
    return fmt::format("slab_chunk_max (bytes: {}) must divide evenly into {} (slab_page_size)",
                       chunk_bytes, kPageBytes);
  }
  return {};
}

Complaint CheckLists(const Settings& settings) {
  if (settings.hot_lru_pct + settings.warm_lru_pct > kLruShareMax) {
    return "hot_lru_pct + warm_lru_pct cannot be more than 80% combined";
  }
  if (settings.temporary_ttl.is_on && !settings.lru_maintainer) {
    return "temporary_ttl requires lru_maintainer to be enabled";
  }
  return {};
}

Complaint CheckPorts(const Settings& settings) {
  for (const int32_t port : {settings.tcp_port, settings.udp_port}) {
    if (port > kPortMax || port < kAnyPort) {
      return fmt::format("ERROR: Invalid port number {}.", port);
    }
  }
  return {};
}

// What is wrong with one size of -o slab_sizes, given the one before it.
Complaint CheckChunk(const Settings& settings, int64_t bytes, int64_t bytes_before) {
  constexpr int64_t kAlignment = 8;
  if (bytes < settings.smallest_item_bytes || bytes > settings.slab_chunk_max.bytes) {
    return fmt::format("slab size {} is out of valid range", bytes);
  }
  if (bytes <= bytes_before) {
    return fmt::format("slab size {} cannot be lower than or equal to a previous class size",
                       bytes);
  }
  if (bytes <= bytes_before + kAlignment) {
    return fmt::format("slab size {} must be at least {} bytes larger than previous class", bytes,
                       kAlignment);
  }
  return {};
}

}  // namespace

ChunkSizes Settings::ParseSlabSizes() const {
  constexpr size_t kSizesMax = 62;
  ChunkSizes sizes;
  int64_t bytes_before = 0;
  for (std::string_view rest = slab_sizes; !rest.empty();) {
    const std::string word(rest.substr(0, rest.find('-')));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    if (word.empty()) continue;  // two dashes are one
    const int64_t bytes = option_kinds::Strict<uint32_t>(word.c_str()).value_or(0);
    sizes.error = CheckChunk(*this, bytes, bytes_before);
    if (sizes.bytes.size() == kSizesMax) sizes.error = "too many slab classes specified";
    if (!sizes.error.empty()) return sizes;
    sizes.bytes.push_back(static_cast<uint32_t>((bytes + 7) / 8 * 8));
    bytes_before = bytes;
  }
  return sizes;
}

// The order is memcached's, so that of several mistakes the same one is named.
std::optional<StartFailure> Settings::Check() const {
  Complaint complaint;
  if (napi_id_count > worker_count) {
    complaint = fmt::format("Number of napi_ids({}) cannot be greater than number of threads({})",
                            napi_id_count, worker_count);
  }
  if (complaint.empty()) complaint = CheckItemBytes(*this);
  if (complaint.empty()) complaint = CheckChunkMax(*this);
  if (complaint.empty()) complaint = ParseSlabSizes().error;
  if (complaint.empty()) complaint = CheckLists(*this);
  if (complaint.empty()) complaint = CheckPorts(*this);
  if (complaint.empty() && worker_count > kWorkersMax) {
    complaint = fmt::format("Number of threads must not be greater than {}", kWorkersMax);
  }
  if (complaint.empty()) return std::nullopt;
  return StartFailure{kExitUsage, std::move(complaint)};
}

void Settings::UseWholePageChunks() { slab_chunk_max.bytes = kPageBytes; }

void Settings::UseOldDefaults() {
  if (!slab_chunk_max.is_given) UseWholePageChunks();
  slab_reassign = false;
  slab_automove = 0;
  maxconns_fast = false;
  hash_algorithm = "jenkins";
  lru_crawler = false;
  UseNoMaintainer();
}

}  // namespace larder::server
