// Several clients of one small cache, taking turns: values under way while others evict, delete,
// flush, resize, watch and crawl, and time that passes in between.
//
// The input is a list of moves. A move is a byte that says what it is, a byte that says how much,
// and for kSay as many bytes of what the client says.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tests/fuzz/reply_text.h"
#include "tests/fuzz/stand.h"

namespace {

using larder::fuzz::Client;
using larder::fuzz::ReplyText;
using larder::fuzz::Stand;

constexpr size_t kClientCount = 4;
constexpr uint64_t kLimitBytes = 3 * larder::slab::kMiB;
constexpr size_t kPieceBytes = 32 * 1024;
constexpr size_t kFillBytesMax = 768 * 1024;
// What all clients say together: an input is to be done within a moment.
constexpr size_t kSaidBytesMax = 4 * larder::slab::kMiB;
constexpr uint32_t kRequestsMax = 20;

// The upper bits of a move's first byte are the client.
enum Move : uint8_t { kSay, kSayValue, kFill, kLeave, kPassTime, kWork, kMoveCount };

class Moves {
 public:
  explicit Moves(std::string_view input) : input_(input) {}

  [[nodiscard]] bool AtEnd() const { return input_.size() < 2; }
  uint8_t TakeByte() {
    const auto byte = static_cast<uint8_t>(input_[0]);
    input_.remove_prefix(1);
    return byte;
  }
  std::string_view TakeBytes(size_t bytes) {
    const std::string_view taken = input_.substr(0, bytes);
    input_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view input_;
};

class Crowd {
 public:
  void Play(Moves moves) {
    while (!moves.AtEnd()) {
      const uint8_t what = moves.TakeByte();
      const uint8_t amount = moves.TakeByte();
      std::unique_ptr<Client>& client = clients_[what / kMoveCount % kClientCount];
      if (client == nullptr || client->IsClosed()) client = std::make_unique<Client>(stand_);
      switch (static_cast<Move>(what % kMoveCount)) {
        case kSay:
          Say(*client, moves.TakeBytes(amount));
          break;
        case kSayValue:
          // The middle of a value that the input would be too short for.
          Say(*client, std::string(size_t{amount} * 1024, 'v'));
          break;
        case kFill:
          Fill(*client, amount);
          break;
        case kLeave:
          client.reset();
          break;
        case kPassTime:
          stand_.PassSeconds(1 + amount % 4);
          break;
        case kWork:
        case kMoveCount:
          stand_.WorkInBackground();
          break;
      }
    }
  }

 private:
  void Say(Client& client, std::string_view bytes) {
    said_bytes_ += bytes.size();
    if (said_bytes_ > kSaidBytesMax) return;
    ReplyText replies;
    client.Say(bytes, kPieceBytes, kRequestsMax, replies);
  }

  // Stores items of one size, enough of the larger ones to make others leave.
  void Fill(Client& client, uint8_t amount) {
    const size_t value_bytes = size_t{1} << (amount % 20);
    const size_t count = std::min<size_t>(kFillBytesMax / value_bytes, 64);
    const std::string value(value_bytes, 'f');
    for (size_t i = 0; i < count; ++i) {
      Say(client, "set f" + std::to_string((amount + i) % 64) + " 0 0 " +
                      std::to_string(value_bytes) + "\r\n" + value + "\r\n");
    }
  }

  Stand stand_{kLimitBytes};
  size_t said_bytes_ = 0;
  std::array<std::unique_ptr<Client>, kClientCount> clients_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Crowd crowd;
  crowd.Play(Moves({reinterpret_cast<const char*>(data), size}));
  return 0;
}
