#include "server/commands/pending_store.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "server/commands/storage.h"

namespace larder::server {

protocol::Status PendingStore::Begin(WorkerContext& context, const protocol::Request& request) {
  cas_ = request.number;
  filled_bytes_ = 0;
  mode_ = StoreModeOf(request.command);
  noreply_ = request.noreply;
  return ReserveItem(context, request, reservation_);
}

size_t PendingStore::Fill(std::string_view input) {
  const std::span<char> unfilled = Unfilled();
  const size_t bytes = std::min(input.size(), unfilled.size());
  if (bytes != 0) std::memcpy(unfilled.data(), input.data(), bytes);
  Advance(bytes);
  return bytes;
}

protocol::Outcome PendingStore::Finish(WorkerContext& context, std::string_view value_end) {
  slab::Reservation filled = std::move(reservation_);
  if (value_end != protocol::kLineEnd) return {.status = protocol::Status::kBadDataChunk};
  return CommitItem(context, std::move(filled), mode_, cas_);
}

}  // namespace larder::server
