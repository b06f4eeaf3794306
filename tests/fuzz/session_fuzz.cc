// Any bytes at all, in any of the protocols, to a whole session over a real cache: the answers are
// the same whether the input arrives at once or in pieces, and nothing the sanitizers know of goes
// wrong.
//
// The first byte says how large the pieces are, the rest is what the client sends.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/reply_text.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/stand.h"

namespace {

// Watchers are told times, and are tried in connections_fuzz.
constexpr std::string_view kWatch = "watch";

std::string Converse(std::string_view input, size_t piece_bytes, uint32_t requests_max) {
  larder::fuzz::Stand stand;
  larder::fuzz::ReplyText replies;
  larder::fuzz::Client client(stand);
  client.Say(input, piece_bytes, requests_max, replies);
  return std::string(replies.Text()) + (client.IsClosed() ? "closed" : "open");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (input.find(kWatch) != std::string_view::npos) return 0;
  const size_t piece_bytes = 1 + data[0] % 64;
  larder::fuzz::Require(Converse(input, input.size() + 1, 1000) == Converse(input, piece_bytes, 1));
  return 0;
}
