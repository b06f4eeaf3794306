#include "server/memory_report.h"

#include <fmt/format.h>

namespace larder::server {
namespace {

constexpr uint64_t kMiB = 1024 * 1024;

std::string InMiB(uint64_t bytes) {
  return fmt::format("{:.2f}", static_cast<double>(bytes) / static_cast<double>(kMiB));
}

std::string Heading(const Settings& settings, const slab::MemoryPlan& plan) {
  return fmt::format(
      "Within -m: {} MiB for whatever grows with the items (the least is {} MiB).\n"
      "Pages of {} KiB are lent to slab classes as they are needed{}; the index and the other\n"
      "parts grow with the number of items. An item takes {} bytes beside its key and value, and\n"
      "the chunk of the first class that holds it. With items of one class only, in MiB:\n\n",
      plan.limit_bytes / kMiB, plan.limit_bytes_min / kMiB, plan.page_bytes / 1024,
      settings.preallocate ? ", their memory is taken at the start (-L)" : "",
      plan.item_header_bytes);
}

std::string ClassTable(const slab::MemoryPlan& plan) {
  std::string text =
      fmt::format("{:>5} {:>8} {:>11} {:>10} {:>9} {:>8} {:>8} {:>7} {:>7}\n", "class", "chunk B",
                  "items", "pages", "index", "ghost", "queue", "hints", "spare");
  for (const slab::ClassPlan& one : plan.classes) {
    text += fmt::format("{:>5} {:>8} {:>11} {:>10} {:>9} {:>8} {:>8} {:>7} {:>7}\n", one.class_id,
                        one.chunk_bytes, one.item_count, InMiB(one.page_bytes),
                        InMiB(one.index_bytes), InMiB(one.ghost_bytes), InMiB(one.queue_bytes),
                        InMiB(one.hint_bytes), InMiB(one.spare_bytes));
  }
  return text;
}

std::string LargeItems(const slab::MemoryPlan& plan) {
  if (plan.chunk_bytes_max == plan.page_bytes) return {};
  return fmt::format(
      "\nItems larger than {} KiB take as many frames of 4 KiB as their values need, and a chunk\n"
      "of their own class for the key. A 64th of -m at most is kept of such that are gone.\n",
      plan.chunk_bytes_max / 1024);
}

std::string Outside(const Settings& settings, const BufferBounds& buffers) {
  const auto thread_count = static_cast<uint64_t>(settings.worker_count);
  const auto connections_max = static_cast<uint64_t>(settings.connections_max);
  const std::string bound =
      settings.read_buf_limit_bytes == 0
          ? std::string("not bounded together; -o read_buf_mem_limit=<MB> bounds it")
          : fmt::format("{} MiB together at most (-o read_buf_mem_limit)",
                        InMiB(settings.read_buf_limit_bytes));
  return fmt::format(
      "\nOutside of -m:\n"
      "  receive buffers        {} KiB for each of {} threads: {} MiB\n"
      "  lines for watchers     {} KiB for each thread, {} KiB for each `watch` client\n"
      "  unsent replies         a connection that has {} KiB waiting is not read from; {} MiB if\n"
      "                         all {} clients that -c allows came to that\n"
      "  unread and unsent      {}\n"
      "  program and threads    code, stacks as far as they are used, counters of each thread\n",
      buffers.receive_bytes / 1024, thread_count, InMiB(thread_count * buffers.receive_bytes),
      settings.worker_logbuf_bytes / 1024, settings.watcher_logbuf_bytes / 1024,
      buffers.unsent_reply_bytes_max / 1024,
      InMiB(connections_max * buffers.unsent_reply_bytes_max), connections_max, bound);
}

}  // namespace

std::string ExplainMemory(const Settings& settings, const slab::MemoryPlan& plan,
                          const BufferBounds& buffers) {
  return Heading(settings, plan) + ClassTable(plan) + LargeItems(plan) + Outside(settings, buffers);
}

}  // namespace larder::server
