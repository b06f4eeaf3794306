#include "server/net/read_buffer.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>

namespace larder::server {
namespace {

// Least room to receive into behind a large remainder. It doubles with what is held, so that a
// line of n bytes is moved at most twice.
constexpr size_t kReceiveRoomBytesMin = 16 * 1024;

// A buffer above this size goes when less than a quarter of it is still needed.
constexpr size_t kShrinkAboveBytes = 64 * 1024;

}  // namespace

void HeldInput::Keep(std::string_view rest) {
  if (rest.empty()) return Clear();
  if (!IsEmpty() && rest.data() >= bytes_ && rest.data() < bytes_ + capacity_bytes_) {
    begin_ = static_cast<uint32_t>(rest.data() - bytes_);
    end_ = begin_ + static_cast<uint32_t>(rest.size());
    if (capacity_bytes_ > kShrinkAboveBytes && rest.size() < capacity_bytes_ / 4) {
      Resize(rest.size());
    }
    return;
  }
  begin_ = end_ = 0;
  if (capacity_bytes_ < rest.size()) Resize(rest.size());
  std::memcpy(bytes_, rest.data(), rest.size());
  end_ = static_cast<uint32_t>(rest.size());
}

std::span<char> HeldInput::Room(size_t bytes_min) {
  if (capacity_bytes_ - end_ < bytes_min) {
    const size_t held_bytes = View().size();
    Resize(held_bytes + std::max(held_bytes, bytes_min));
  }
  return {bytes_ + end_, capacity_bytes_ - end_};
}

void HeldInput::Clear() {
  if (bytes_ == nullptr) return;
  delete[] bytes_;
  bytes_ = nullptr;
  gauge_.count.Subtract(1);
  gauge_.bytes.Subtract(capacity_bytes_);
  begin_ = end_ = capacity_bytes_ = 0;
}

// Moves what is held to the front of a new buffer.
void HeldInput::Resize(size_t capacity_bytes) {
  assert(capacity_bytes <= std::numeric_limits<uint32_t>::max());
  char* const resized = new char[capacity_bytes];
  const auto held_bytes = static_cast<uint32_t>(View().size());
  if (held_bytes > 0) std::memcpy(resized, View().data(), held_bytes);
  Clear();
  bytes_ = resized;
  end_ = held_bytes;
  capacity_bytes_ = static_cast<uint32_t>(capacity_bytes);
  gauge_.count.Add(1);
  gauge_.bytes.Add(capacity_bytes);
}

std::span<char> ReadBuffer::Prepare(HeldInput& held) {
  const std::string_view before = held.View();
  if (before.size() > kCopiedBytesMax) return held.Room(kReceiveRoomBytesMin);
  if (!before.empty()) std::memcpy(bytes_.get(), before.data(), before.size());
  return {bytes_.get() + before.size(), kBytes - before.size()};
}

std::string_view ReadBuffer::Input(HeldInput& held, size_t received_bytes) {
  const size_t held_bytes = held.View().size();
  if (held_bytes > kCopiedBytesMax) {
    held.Advance(received_bytes);
    return held.View();
  }
  return {bytes_.get(), held_bytes + received_bytes};
}

}  // namespace larder::server
