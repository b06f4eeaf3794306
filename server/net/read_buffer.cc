#include "server/net/read_buffer.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>
#include <new>

namespace larder::server {
namespace {

// Least room to receive into behind a large remainder. It doubles with what is held, so that a
// line of n bytes is moved at most twice.
constexpr size_t kReceiveRoomBytesMin = 16 * 1024;

// A buffer above this size goes when less than a quarter of it is still needed.
constexpr size_t kShrinkAboveBytes = 64 * 1024;

}  // namespace

void HeldInput::Keep(std::string_view rest, BufferGauge& gauge) {
  if (rest.empty()) return Clear();
  if (Owns(rest)) {
    block_->begin = static_cast<uint32_t>(rest.data() - block_->Bytes());
    block_->end = block_->begin + static_cast<uint32_t>(rest.size());
    const size_t capacity_bytes = block_->capacity_bytes;
    if (capacity_bytes > kShrinkAboveBytes && rest.size() < capacity_bytes / 4) {
      Resize(rest.size(), gauge);
    }
    return;
  }
  if (block_ != nullptr) block_->begin = block_->end = 0;
  if (block_ == nullptr || block_->capacity_bytes < rest.size()) Resize(rest.size(), gauge);
  std::memcpy(block_->Bytes(), rest.data(), rest.size());
  block_->end = static_cast<uint32_t>(rest.size());
}

bool HeldInput::Owns(std::string_view rest) const {
  if (IsEmpty()) return false;
  const char* const bytes = block_->Bytes();
  return rest.data() >= bytes && rest.data() < bytes + block_->capacity_bytes;
}

std::span<char> HeldInput::Room(size_t bytes_min) {
  if (block_->capacity_bytes - block_->end < bytes_min) {
    const size_t held_bytes = View().size();
    Resize(held_bytes + std::max(held_bytes, bytes_min), block_->gauge);
  }
  return {block_->Bytes() + block_->end, block_->capacity_bytes - block_->end};
}

void HeldInput::Clear() {
  if (block_ == nullptr) return;
  block_->gauge.count.Subtract(1);
  block_->gauge.bytes.Subtract(block_->capacity_bytes);
  ::operator delete(block_);
  block_ = nullptr;
}

// Moves what is held to the front of a new block.
void HeldInput::Resize(size_t capacity_bytes, BufferGauge& gauge) {
  assert(capacity_bytes <= std::numeric_limits<uint32_t>::max());
  const auto held_bytes = static_cast<uint32_t>(View().size());
  auto* const resized = new (::operator new(sizeof(Block) + capacity_bytes))
      Block{gauge, static_cast<uint32_t>(capacity_bytes), 0, held_bytes};
  if (held_bytes > 0) std::memcpy(resized->Bytes(), View().data(), held_bytes);
  Clear();
  block_ = resized;
  gauge.count.Add(1);
  gauge.bytes.Add(capacity_bytes);
}

std::span<char> ReadBuffer::Prepare(HeldInput& held) {
  const std::string_view before = held.View();
  if (before.size() > kCopiedBytesMax) return held.Room(kReceiveRoomBytesMin);
  if (!before.empty()) std::memcpy(Begin(), before.data(), before.size());
  return {Begin() + before.size(), kBytes - before.size()};
}

std::string_view ReadBuffer::Input(HeldInput& held, size_t received_bytes) {
  const size_t held_bytes = held.View().size();
  if (held_bytes > kCopiedBytesMax) {
    held.Advance(received_bytes);
    return held.View();
  }
  return {Begin(), held_bytes + received_bytes};
}

}  // namespace larder::server
